{{/* What the schema of the values cannot say. Every mistake is told at once. */}}
{{- define "selective-sync.checks" -}}
{{- $wrong := list }}
{{- /* Not kubeVersion in Chart.yaml: a helm that was built by `go install` takes 1.20.0 for the cluster's when it only renders. */}}
{{- $version := .Capabilities.KubeVersion.Version }}
{{- if and (semverCompare "<1.28.0-0" $version) (ne $version "v1.20.0") }}
{{- $wrong = append $wrong (printf "Kubernetes 1.28 or later is needed, for the label pod-index, and this is %s" $version) }}
{{- end }}
{{- with .Values }}
{{- if not .kafka.bootstrapServers }}{{ $wrong = append $wrong "kafka.bootstrapServers is needed" }}{{ end }}
{{- range $value, $addresses := dict "kafka.bootstrapServers" .kafka.bootstrapServers "registry.url" .registry.url }}
{{- range regexFindAll ":[0-9]+" $addresses -1 }}
{{- if gt (trimPrefix ":" . | int) 65535 }}
{{- $wrong = append $wrong (printf "%s has the port %s: at most 65535" $value (trimPrefix ":" .)) }}
{{- end }}
{{- end }}
{{- end }}
{{- if ne (len (values .kafka.topics | uniq)) (len .kafka.topics) }}
{{- $wrong = append $wrong "kafka.topics gives one name to two topics" }}
{{- end }}
{{- with .serviceMonitor }}
{{- if gt (include "selective-sync.ms" .scrapeTimeout | int) (include "selective-sync.ms" .interval | int) }}
{{- $wrong = append $wrong (printf "serviceMonitor.scrapeTimeout is %s, longer than the interval of %s" .scrapeTimeout .interval) }}
{{- end }}
{{- end }}
{{- if not (or .catalog.text .catalog.existingConfigMap) }}
{{- $wrong = append $wrong "a catalog is needed: `--set-file catalog.text=catalog.yaml`, or catalog.existingConfigMap" }}
{{- end }}
{{- if and .catalog.text .catalog.existingConfigMap }}
{{- $wrong = append $wrong "catalog.text and catalog.existingConfigMap exclude each other" }}
{{- end }}
{{- if and .catalog.crosswalks .catalog.existingCrosswalks }}
{{- $wrong = append $wrong "catalog.crosswalks and catalog.existingCrosswalks exclude each other" }}
{{- end }}
{{- if and .policy.text .policy.existingConfigMap }}
{{- $wrong = append $wrong "policy.text and policy.existingConfigMap exclude each other" }}
{{- end }}
{{- range $name, $database := .databases }}
{{- if not $database.existingSecret }}
{{- $wrong = append $wrong (printf "databases.%s.existingSecret is needed: the name of a Secret (docs/deploying.md)" $name) }}
{{- end }}
{{- end }}
{{- range $role := include "selective-sync.ordinal-roles" $ | fromJsonArray }}
{{- $own := index $.Values $role }}
{{- $most := include "selective-sync.partitions" (dict "root" $ "role" $role) | int }}
{{- $setting := ternary "historyPartitions" "partitions" (eq $role "store") }}
{{- $scaling := $own.autoscaling }}
{{- if eq $scaling.kind "none" }}
{{- if gt (int $own.replicas) $most }}
{{- $wrong = append $wrong (printf "%s.replicas is %d, but kafka.%s is %d: more processes would have no work" $role (int $own.replicas) $setting $most) }}
{{- end }}
{{- else }}
{{- if gt (int $scaling.maxReplicas) $most }}
{{- $wrong = append $wrong (printf "%s.autoscaling.maxReplicas is %d, but kafka.%s is %d: more processes would have no work" $role (int $scaling.maxReplicas) $setting $most) }}
{{- end }}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) }}
{{- $wrong = append $wrong (printf "%s.autoscaling.minReplicas is more than maxReplicas" $role) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if $wrong }}
{{- fail (printf "\n\nThe values cannot be used:\n- %s\n" (join "\n- " $wrong)) }}
{{- end }}
{{- end }}

{{/* A duration such as 500ms, 15s or 1m in milliseconds. */}}
{{- define "selective-sync.ms" -}}
{{- mul (regexFind "^[0-9]+" . | int) (get (dict "ms" 1 "s" 1000 "m" 60000) (regexFind "[a-z]+$" .) | int) }}
{{- end }}
