{{/* What pods have in common. */}}

{{/* Of a pod's spec: nobody in particular, nothing of the cluster's. Called with $. */}}
{{- define "meetra.pod" -}}
automountServiceAccountToken: false
# Variables that the cluster makes of Services, such as MEETRA_GATEWAY_PORT, would be read as settings.
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  # Else the group would be given rights to every file of the volume at each start, keys too.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{/* Of a container. */}}
{{- define "meetra.container" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/* Where pods of a part may run. Called with (list $ "api"). */}}
{{- define "meetra.placement" -}}
{{- $ := index . 0 -}}
{{- $part := index $.Values (index . 1) -}}
{{- with $part.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.topologySpreadConstraints }}
topologySpreadConstraints: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if $part.affinity }}
affinity: {{- toYaml $part.affinity | nindent 2 }}
{{- else if and (has (index . 1) (list "api" "worker")) (eq $.Values.data.accessMode "ReadWriteOnce") (not $.Values.data.existingClaim) }}
# The volume can be on one node only.
affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            app.kubernetes.io/instance: {{ $.Release.Name }}
            meetra.data: shared
{{- end }}
{{- end }}

{{/* Settings as variables. Called with (list "MEETRA_" map). */}}
{{- define "meetra.settings" -}}
{{- $prefix := index . 0 -}}
{{- range $name, $value := index . 1 }}
- name: {{ $prefix }}{{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* Variables of API and worker. */}}
{{- define "meetra.serverSettings" -}}
- name: MEETRA_DATABASE_URL
  valueFrom: { secretKeyRef: { name: {{ include "meetra.databaseSecret" . }}, key: {{ .Values.database.urlKey }} } }
- name: MEETRA_INFERENCE_ADDRESS
  value: {{ include "meetra.part" (list . "inference") }}:50061
- name: MEETRA_AUDIO_DIR
  value: /data/audio
{{- if .Values.webhookKeys.secret }}
- name: MEETRA_WEBHOOK_KEYS
  value: /keys/webhook-keys
{{- end }}
{{- if .Values.internalTls.clientSecret }}
- name: MEETRA_INFERENCE_CA
  value: /internal-tls/ca.crt
- name: MEETRA_INFERENCE_CLIENT_CERTIFICATE
  value: /internal-tls/tls.crt
- name: MEETRA_INFERENCE_CLIENT_KEY
  value: /internal-tls/tls.key
{{- end }}
{{- include "meetra.settings" (list "MEETRA_" .Values.settings) }}
{{- range .Values.secretSettings }}
- name: MEETRA_{{ .name }}
  valueFrom: { secretKeyRef: { name: {{ .secret }}, key: {{ .key }} } }
{{- end }}
{{- end }}

{{- define "meetra.databaseSecret" -}}
{{ required "database.secret: name of the Secret with the URLs of PostgreSQL" .Values.database.secret }}
{{- end }}

{{- define "meetra.serverMounts" -}}
- { name: data, mountPath: /data }
- { name: tmp, mountPath: /tmp }
- { name: keys, mountPath: /keys, readOnly: true }
{{- if .Values.internalTls.clientSecret }}
- { name: internal-tls, mountPath: /internal-tls, readOnly: true }
{{- end }}
{{- end }}

{{- define "meetra.serverVolumes" -}}
- name: data
  persistentVolumeClaim: { claimName: {{ include "meetra.claim" . }} }
- name: tmp
  emptyDir: { sizeLimit: 2Gi }
- name: keys
  emptyDir: { medium: Memory, sizeLimit: 1Mi }
{{- if .Values.webhookKeys.secret }}
- name: webhook-keys
  secret: { secretName: {{ .Values.webhookKeys.secret }}, defaultMode: 0440 }
{{- end }}
{{- if .Values.internalTls.clientSecret }}
- name: internal-tls
  secret: { secretName: {{ .Values.internalTls.clientSecret }}, defaultMode: 0440 }
{{- end }}
{{- end }}

{{/* Keys are files that nobody else owns or links to, which what a Secret is mounted as is not: they are copied. Called
with (list $ "the commands"). */}}
{{- define "meetra.keysContainer" -}}
{{- $ := index . 0 -}}
- name: keys
  image: {{ include "meetra.image" (list $ "server") }}
  {{- include "meetra.container" $ | nindent 2 }}
  command: [sh, -ec]
  args:
    - |
      umask 077
      {{- if index . 1 }}
      mkdir /keys/token-keys
      install -m 0600 /token-keys/* /keys/token-keys/
      {{- end }}
      {{- if $.Values.webhookKeys.secret }}
      install -m 0600 /webhook-keys/{{ $.Values.webhookKeys.key }} /keys/webhook-keys
      {{- end }}
  resources:
    requests: { cpu: 10m, memory: 32Mi }
    limits: { memory: 64Mi }
  volumeMounts:
    - { name: keys, mountPath: /keys }
    {{- if index . 1 }}
    - { name: token-keys, mountPath: /token-keys, readOnly: true }
    {{- end }}
    {{- if $.Values.webhookKeys.secret }}
    - { name: webhook-keys, mountPath: /webhook-keys, readOnly: true }
    {{- end }}
{{- end }}
