{{/* Names: of the release, of a part of it, of its image, and the labels that select it. */}}

{{- define "meetra.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end -}}
{{- end }}

{{/* Called with (list $ "api"). */}}
{{- define "meetra.part" -}}
{{ include "meetra.name" (index . 0) }}-{{ index . 1 }}
{{- end }}

{{/* Called with (list $ "api"). */}}
{{- define "meetra.selector" -}}
app.kubernetes.io/name: {{ (index . 0).Chart.Name }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "meetra.labels" -}}
{{ include "meetra.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ (index . 0).Chart.Name }}-{{ (index . 0).Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Called with (list $ "server"). */}}
{{- define "meetra.image" -}}
{{- $ := index . 0 -}}
{{ required "image.registry: where the images were pushed to, such as registry.example/meetra" $.Values.image.registry }}/meetra-{{ index . 1 }}:{{ $.Values.image.tag | default $.Chart.AppVersion }}
{{- end }}

{{- define "meetra.claim" -}}
{{ .Values.data.existingClaim | default (include "meetra.part" (list . "data")) }}
{{- end }}
