#!/bin/sh
# Make the secrets of compose.yaml, each once: random passwords, and the settings that hold them.
#
# Containers read them as user 1000, whoever owns them here: nobody else gets into the folder, so the files may be read.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets

password() {
    [ -e "secrets/$1-password" ] || head -c 512 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | head -c 32 > "secrets/$1-password"
}

# $1: the file, $2: the setting, $3: the role whose password it holds.
settings() {
    [ -e "secrets/$1.toml" ] ||
        printf '%s = "postgresql://meetra_%s:%s@postgres:5432/meetra"\n' "$2" "$3" "$(cat "secrets/$3-password")" > "secrets/$1.toml"
}

password postgres
password owner
password runtime
settings owner database_owner_url owner
settings runtime database_url runtime
chmod 0700 secrets
chmod 0444 secrets/*-password secrets/*.toml
echo "The secrets are in $PWD/secrets; keep them with your backups"
