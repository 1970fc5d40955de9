{{- define "selective-sync.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "selective-sync.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "selective-sync.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "selective-sync.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "selective-sync.identity" -}}
{{- default .Release.Name .Values.identity }}
{{- end }}

{{- define "selective-sync.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{/* Labels that never change: a StatefulSet's selector cannot. Takes (dict "root" $ "role" "process"). */}}
{{- define "selective-sync.selector" -}}
app.kubernetes.io/name: {{ include "selective-sync.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{/* Also takes "more", labels of this object that outrank those of all. */}}
{{- define "selective-sync.labels" -}}
{{ include "selective-sync.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with merge (dict) (default dict .more) .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The roles that are StatefulSets, as a list in JSON. */}}
{{- define "selective-sync.ordinal-roles" -}}
{{- $roles := list "process" }}
{{- if .Values.apply.enabled }}{{ $roles = append $roles "apply" }}{{ end }}
{{- append $roles "store" | toJson }}
{{- end }}

{{- define "selective-sync.roles" -}}
{{- $roles := include "selective-sync.ordinal-roles" . | fromJsonArray }}
{{- if .Values.monitor.enabled }}{{ $roles = append $roles "monitor" }}{{ end }}
{{- $roles | toJson }}
{{- end }}

{{/* Most processes that can have work. Takes (dict "root" $ "role" "process"). */}}
{{- define "selective-sync.partitions" -}}
{{- if eq .role "store" }}{{ .root.Values.kafka.historyPartitions }}{{ else }}{{ .root.Values.kafka.partitions }}{{ end }}
{{- end }}

{{/* A value as the text of a variable. Each number is a float here, and printed by itself 1000000 is 1e+06. */}}
{{- define "selective-sync.text" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ toJson . }}{{ end }}
{{- end }}
