{{/*
A pod's template and what is in it. Takes (dict "root" $ "role" "process"); "setup" is the hook's Job, "check" the
chart's test. Which role is given which secret is decided in `selective-sync.needs` alone.
*/}}
{{- define "selective-sync.needs" -}}
process: [registry, catalog, policy, state, districts]
apply: [registry, catalog, state]
store: [registry, catalog, policy, history]
monitor: [policy]
setup: [registry, catalog, policy, history]
check: [policy]
{{- end }}

{{- define "selective-sync.pod" -}}
{{- $root := .root }}
{{- $values := .root.Values }}
{{- $role := .role }}
{{- $needs := index (include "selective-sync.needs" .root | fromYaml) .role }}
{{- $own := index $values (ternary "setup" .role (eq .role "check")) }}
{{- $serves := not (has .role (list "setup" "check")) }}
metadata:
  labels:
    {{- include "selective-sync.selector" . | nindent 4 }}
    {{- with merge (dict) $values.podLabels $values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- if has "catalog" $needs }}
    checksum/catalog: {{ toJson (list $values.catalog $values.schemas) | sha256sum }}
    {{- end }}
    {{- if has "policy" $needs }}
    checksum/policy: {{ toJson $values.policy | sha256sum }}
    {{- end }}
    kubectl.kubernetes.io/default-container: {{ .role }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ $values.serviceAccountName }}
  automountServiceAccountToken: false
  # Else each Service of the namespace would set variables, and some might begin with RESYNC_.
  enableServiceLinks: false
  securityContext:
    {{- toYaml $values.podSecurityContext | nindent 4 }}
  {{- with $values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if $serves }}
  terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds | int64 }}
  topologySpreadConstraints:
    {{- range default (list (dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway")) $values.topologySpreadConstraints }}
    - labelSelector:
        matchLabels:
          {{- include "selective-sync.selector" (dict "root" $root "role" $role) | nindent 10 }}
      {{- toYaml . | nindent 6 }}
    {{- end }}
  {{- else }}
  restartPolicy: Never
  {{- end }}
  containers:
    - name: {{ .role }}
      image: {{ include "selective-sync.image" .root }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: {{ .args | toJson }}
      env:
        {{- include "selective-sync.env" (dict "root" .root "role" .role "needs" $needs "serves" $serves) | nindent 8 }}
      {{- if has "districts" $needs }}
      envFrom:
        - secretRef:
            name: {{ $values.databases.districts.existingSecret }}
      {{- end }}
      {{- if $serves }}
      ports:
        - name: http
          containerPort: {{ $values.httpPort }}
      startupProbe:
        httpGet: {path: /livez, port: http}
        {{- toYaml $values.probes.startup | nindent 8 }}
      livenessProbe:
        httpGet: {path: /livez, port: http}
        {{- toYaml $values.probes.liveness | nindent 8 }}
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        {{- toYaml $values.probes.readiness | nindent 8 }}
      {{- end }}
      resources:
        {{- toYaml $own.resources | nindent 8 }}
      securityContext:
        {{- toYaml $values.containerSecurityContext | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        {{- if has "catalog" $needs }}
        - {name: catalog, mountPath: /etc/resync/catalog.yaml, subPath: catalog.yaml, readOnly: true}
        {{- if or $values.catalog.crosswalks $values.catalog.existingCrosswalks }}
        - {name: crosswalks, mountPath: /etc/resync/crosswalks, readOnly: true}
        {{- end }}
        {{- end }}
        {{- if and (has "catalog" $needs) (or $values.schemas.objects $values.schemas.archive) }}
        - {name: schemas, mountPath: /etc/resync/schemas, readOnly: true}
        {{- end }}
        {{- if and (has "policy" $needs) (or $values.policy.text $values.policy.existingConfigMap) }}
        - {name: policy, mountPath: /etc/resync/policy.yaml, subPath: policy.yaml, readOnly: true}
        {{- end }}
        {{- if include "selective-sync.secret-files" (dict "root" .root "role" .role "needs" $needs) }}
        - {name: secrets, mountPath: /etc/resync/secrets, readOnly: true}
        {{- end }}
        {{- if $values.tls.existingSecret }}
        - {name: tls, mountPath: /etc/resync/tls, readOnly: true}
        {{- end }}
        {{- with $values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: {{ $values.tmpSizeLimit | quote }}}
    {{- if has "catalog" $needs }}
    - name: catalog
      configMap:
        name: {{ $values.catalog.existingConfigMap | default (include "selective-sync.config" (dict "root" .root "role" .role "of" "catalog")) }}
    {{- if or $values.catalog.crosswalks $values.catalog.existingCrosswalks }}
    - name: crosswalks
      configMap:
        name: {{ $values.catalog.existingCrosswalks | default (include "selective-sync.config" (dict "root" .root "role" .role "of" "crosswalks")) }}
    {{- end }}
    {{- end }}
    {{- with $values.schemas }}
    {{- if and (has "catalog" $needs) (or .objects .archive) }}
    - name: schemas
      configMap:
        name: {{ include "selective-sync.config" (dict "root" $root "role" $role "of" "schemas") }}
        items:
          {{- range $name, $_ := .objects }}
          - {key: {{ $name }}, path: objects/{{ $name }}}
          {{- end }}
          {{- range $name, $_ := .archive }}
          - {key: {{ $name }}, path: archive/{{ $name }}}
          {{- end }}
    {{- end }}
    {{- end }}
    {{- if and (has "policy" $needs) (or $values.policy.text $values.policy.existingConfigMap) }}
    - name: policy
      configMap:
        name: {{ $values.policy.existingConfigMap | default (include "selective-sync.config" (dict "root" .root "role" .role "of" "policy")) }}
    {{- end }}
    {{- with include "selective-sync.secret-files" (dict "root" .root "role" .role "needs" $needs) }}
    - name: secrets
      projected:
        defaultMode: 0440
        sources:
          {{- . | nindent 10 }}
    {{- end }}
    {{- with $values.tls.existingSecret }}
    - name: tls
      secret:
        secretName: {{ . }}
        defaultMode: 0440
    {{- end }}
    {{- with $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* Hooks run before the release's ConfigMaps exist, so the setup Job has copies of its own. */}}
{{- define "selective-sync.config" -}}
{{ include "selective-sync.fullname" .root }}-{{ .of }}{{ if eq .role "setup" }}-setup{{ end }}
{{- end }}

{{/* A role's own account at Kafka, or the one of all. */}}
{{- define "selective-sync.kafka-secret" -}}
{{- $own := index .root.Values (ternary "setup" .role (eq .role "check")) }}
{{- default .root.Values.kafka.existingSecret $own.kafkaSecret }}
{{- end }}

{{- define "selective-sync.secret-files" -}}
{{- with include "selective-sync.kafka-secret" . }}
- secret:
    name: {{ . }}
    items: [{key: {{ $.root.Values.kafka.secretKey | quote }}, path: kafka-options.json}]
{{- end }}
{{- with .root.Values.registry }}
{{- if and .existingSecret (has "registry" $.needs) }}
- secret:
    name: {{ .existingSecret }}
    items: [{key: {{ .secretKey | quote }}, path: registry-options.json}]
{{- end }}
{{- end }}
{{- range $name := list "state" "history" }}
{{- if has $name $.needs }}
{{- with index $.root.Values.databases $name }}
- secret:
    name: {{ .existingSecret }}
    items: [{key: {{ .secretKey | quote }}, path: {{ $name }}-dsn}]
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "selective-sync.env" -}}
{{- $values := .root.Values }}
- name: RESYNC_RELEASE
  value: {{ include "selective-sync.identity" .root | quote }}
{{- if has .role (include "selective-sync.ordinal-roles" .root | fromJsonArray) }}
# With the release and the role, the process's identity: the same for the whole life of a pod of this number.
- name: RESYNC_ORDINAL
  valueFrom:
    fieldRef:
      fieldPath: metadata.labels['apps.kubernetes.io/pod-index']
{{- end }}
- name: RESYNC_BOOTSTRAP_SERVERS
  value: {{ $values.kafka.bootstrapServers | quote }}
{{- with $values.kafka.options }}
- name: RESYNC_KAFKA_OPTIONS
  value: {{ toJson . | quote }}
{{- end }}
{{- if include "selective-sync.kafka-secret" . }}
- name: RESYNC_KAFKA_OPTIONS_FILE
  value: /etc/resync/secrets/kafka-options.json
{{- end }}
{{- if has "registry" .needs }}
{{- with $values.registry.url }}
- name: RESYNC_REGISTRY_URL
  value: {{ . | quote }}
{{- end }}
{{- with $values.registry.options }}
- name: RESYNC_REGISTRY_OPTIONS
  value: {{ toJson . | quote }}
{{- end }}
{{- if $values.registry.existingSecret }}
- name: RESYNC_REGISTRY_OPTIONS_FILE
  value: /etc/resync/secrets/registry-options.json
{{- end }}
{{- end }}
{{- range $name := list "state" "history" }}
{{- if has $name $.needs }}
- name: RESYNC_{{ upper $name }}_DSN_FILE
  value: /etc/resync/secrets/{{ $name }}-dsn
{{- end }}
{{- end }}
{{- if has "catalog" .needs }}
- name: RESYNC_CATALOG
  value: /etc/resync/catalog.yaml
{{- end }}
{{- if and (has "catalog" .needs) (or $values.schemas.objects $values.schemas.archive) }}
- name: RESYNC_SCHEMAS
  value: /etc/resync/schemas
{{- end }}
{{- if and (has "policy" .needs) (or $values.policy.text $values.policy.existingConfigMap) }}
- name: RESYNC_POLICY
  value: /etc/resync/policy.yaml
{{- end }}
- name: RESYNC_PARTITIONS
  value: {{ $values.kafka.partitions | int | quote }}
- name: RESYNC_HISTORY_PARTITIONS
  value: {{ $values.kafka.historyPartitions | int | quote }}
- name: RESYNC_REPLICATION_FACTOR
  value: {{ $values.kafka.replicationFactor | int | quote }}
{{- range $name, $topic := $values.kafka.topics }}
- name: RESYNC_TOPIC_{{ upper $name }}
  value: {{ $topic | quote }}
{{- end }}
{{- if .serves }}
- name: RESYNC_HTTP_PORT
  value: {{ $values.httpPort | int | quote }}
{{- end }}
{{- range $name, $setting := $values.settings }}
- name: RESYNC_{{ upper $name }}
  value: {{ include "selective-sync.text" $setting | quote }}
{{- end }}
{{- with $values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
