/** The cluster that the reading cases look at: one of each kind, with enough in it to make every printer speak. */

export const namespace = "corpus";

export const objects = `
apiVersion: v1
kind: Namespace
metadata: {name: corpus, labels: {team: red}}
---
apiVersion: v1
kind: Namespace
metadata: {name: hollow}
---
apiVersion: v1
kind: Node
metadata:
  name: worker-1
  labels: {kubernetes.io/hostname: worker-1, node-role.kubernetes.io/worker: "", zone: a}
  annotations: {note: fixture}
spec:
  podCIDR: 10.42.9.0/24
  podCIDRs: [10.42.9.0/24]
  unschedulable: true
  taints: [{key: dedicated, value: corpus, effect: NoSchedule}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot, namespace: corpus, labels: {app: web}}
imagePullSecrets: [{name: pull}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: corpus, labels: {app: web}, annotations: {description: "colours of the page"}}
data:
  colour: blue
  page.html: |
    <h1>hello</h1>
    <p>two lines</p>
binaryData: {blob: AAECAwQ=}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: empty, namespace: corpus}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: escape, namespace: corpus}
data: {text: "plain"}
---
apiVersion: v1
kind: Secret
metadata: {name: login, namespace: corpus, labels: {app: web}}
type: Opaque
stringData: {password: s3cret, user: admin}
---
apiVersion: v1
kind: Secret
metadata: {name: pull, namespace: corpus}
type: kubernetes.io/dockerconfigjson
data: {.dockerconfigjson: eyJhdXRocyI6e319}
---
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: corpus
  labels: {app: web, tier: front}
  annotations: {example.com/owner: "red team"}
spec:
  serviceAccountName: robot
  nodeName: worker-1
  priority: 0
  nodeSelector: {zone: a}
  terminationGracePeriodSeconds: 5
  initContainers:
  - {name: setup, image: "busybox:1", command: [sh, -c, "echo setup"]}
  containers:
  - name: main
    image: nginx:1.27
    args: [--flag, value]
    ports: [{containerPort: 80, name: http}, {containerPort: 443, protocol: TCP}]
    env:
    - {name: PLAIN, value: text}
    - {name: EMPTY}
    - {name: COLOUR, valueFrom: {configMapKeyRef: {name: settings, key: colour}}}
    - {name: PASSWORD, valueFrom: {secretKeyRef: {name: login, key: password, optional: true}}}
    - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
    - {name: CPUS, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
    envFrom:
    - configMapRef: {name: settings}
    - prefix: S_
      secretRef: {name: login, optional: true}
    resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 500m, memory: 128Mi}}
    livenessProbe: {httpGet: {path: /healthz, port: http}, initialDelaySeconds: 3, periodSeconds: 7}
    readinessProbe: {tcpSocket: {port: 80}, timeoutSeconds: 2}
    startupProbe: {exec: {command: [cat, /tmp/ok]}, failureThreshold: 30}
    volumeMounts:
    - {name: scratch, mountPath: /scratch}
    - {name: settings, mountPath: /etc/settings, readOnly: true}
    - {name: login, mountPath: /etc/login/password, subPath: password}
  - name: sidecar
    image: busybox@sha256:0123456789012345678901234567890123456789012345678901234567890123
    command: [sleep, "1000"]
    livenessProbe: {grpc: {port: 9000, service: health}}
  volumes:
  - {name: scratch, emptyDir: {medium: Memory, sizeLimit: 10Mi}}
  - {name: settings, configMap: {name: settings, optional: true}}
  - {name: login, secret: {secretName: login}}
  - {name: host, hostPath: {path: /var/log, type: Directory}}
  - {name: info, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
  - {name: claim, persistentVolumeClaim: {claimName: data}}
  tolerations:
  - {key: dedicated, operator: Equal, value: corpus, effect: NoSchedule}
  - {operator: Exists}
---
apiVersion: v1
kind: Pod
metadata: {name: plain, namespace: corpus, labels: {app: plain}}
spec:
  containers: [{name: only, image: "busybox:1", command: [sleep, "60"]}]
  nodeSelector: {zone: none}
---
apiVersion: v1
kind: Pod
metadata: {name: broken, namespace: corpus, labels: {app: plain, tier: back}}
spec:
  nodeName: worker-1
  containers: [{name: only, image: "busybox:nope"}]
---
apiVersion: v1
kind: Pod
metadata: {name: finished, namespace: corpus, labels: {app: job}}
spec:
  nodeName: worker-1
  restartPolicy: Never
  containers: [{name: only, image: "busybox:1", command: ["true"]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: corpus, labels: {app: web}, annotations: {note: "front door"}}
spec:
  selector: {app: web}
  clusterIP: 10.43.77.1
  ports: [{name: http, port: 80, targetPort: http}, {name: https, port: 443, targetPort: 443}]
  sessionAffinity: ClientIP
---
apiVersion: v1
kind: Service
metadata: {name: headless, namespace: corpus}
spec: {clusterIP: None, selector: {app: plain}, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: nodes, namespace: corpus}
spec: {type: NodePort, clusterIP: 10.43.77.2, selector: {app: web, tier: front}, externalTrafficPolicy: Local, ports: [{port: 8080, targetPort: 80, nodePort: 30777, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: outside, namespace: corpus}
spec: {type: ExternalName, externalName: example.com}
---
apiVersion: v1
kind: Service
metadata: {name: balanced, namespace: corpus}
spec: {type: LoadBalancer, clusterIP: 10.43.77.3, externalIPs: [192.0.2.1], ports: [{port: 80, nodePort: 30778}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: manual, namespace: corpus, labels: {app: manual}}
subsets:
- addresses: [{ip: 192.0.2.10, nodeName: worker-1}, {ip: 192.0.2.11}]
  notReadyAddresses: [{ip: 192.0.2.12}]
  ports: [{name: http, port: 80}, {name: dns, port: 53, protocol: UDP}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: manual-1, namespace: corpus, labels: {kubernetes.io/service-name: other}}
addressType: IPv4
endpoints:
- {addresses: [192.0.2.20], conditions: {ready: true}, hostname: one, nodeName: worker-1, zone: a, targetRef: {kind: Pod, name: web, namespace: corpus}}
- {addresses: [192.0.2.21], conditions: {ready: false}}
ports: [{name: http, port: 80, protocol: TCP}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: corpus, labels: {app: shop}, annotations: {kubernetes.io/change-cause: "first roll"}}
spec:
  replicas: 2
  minReadySeconds: 1
  selector: {matchLabels: {app: shop}, matchExpressions: [{key: tier, operator: In, values: [front, back]}]}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  template:
    metadata: {labels: {app: shop, tier: front}, annotations: {sum: abc}}
    spec:
      nodeSelector: {zone: none}
      serviceAccountName: robot
      containers:
      - {name: main, image: "nginx:1.27", ports: [{containerPort: 80}], env: [{name: A, value: b}], volumeMounts: [{name: settings, mountPath: /etc/settings}]}
      volumes: [{name: settings, configMap: {name: settings}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: idle, namespace: corpus, labels: {app: idle}}
spec:
  replicas: 0
  strategy: {type: Recreate}
  selector: {matchLabels: {app: idle}}
  template: {metadata: {labels: {app: idle}}, spec: {containers: [{name: main, image: "nginx:1.27"}]}}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: alone, namespace: corpus, labels: {app: alone}}
spec:
  replicas: 1
  selector: {matchLabels: {app: alone}}
  template: {metadata: {labels: {app: alone}}, spec: {nodeSelector: {zone: none}, containers: [{name: main, image: "nginx:1.27"}]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: corpus, labels: {app: web}}
rules:
- {apiGroups: [""], resources: [pods, pods/log], verbs: [get, list, watch]}
- {apiGroups: [apps], resources: [deployments], resourceNames: [shop, idle], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: corpus, annotations: {why: because}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- {kind: ServiceAccount, name: robot, namespace: corpus}
- {kind: User, name: anna, apiGroup: rbac.authorization.k8s.io}
- {kind: Group, name: staff, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: corpus-role, labels: {app: web}}
rules:
- {apiGroups: [""], resources: [nodes], verbs: [get]}
- {nonResourceURLs: [/healthz, /version], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: corpus-binding}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: corpus-role}
subjects: [{kind: Group, name: staff, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: lock, namespace: corpus}
spec: {holderIdentity: somebody, leaseDurationSeconds: 15, leaseTransitions: 2, acquireTime: "2026-01-01T00:00:00.000000Z", renewTime: "2026-01-01T00:01:00.000000Z"}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: boats, singular: boat, kind: Boat, shortNames: [bt]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns:
    - {name: Crew, type: integer, jsonPath: .spec.crew}
    - {name: Port, type: string, jsonPath: .spec.port, priority: 1}
    schema:
      openAPIV3Schema:
        type: object
        description: A boat and who sails it.
        properties:
          spec:
            type: object
            properties:
              crew: {type: integer, description: How many sail.}
              port: {type: string}
              sails: {type: array, items: {type: object, properties: {name: {type: string}, area: {type: number}}}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
`;

export const customObjects = `
apiVersion: example.com/v1
kind: Boat
metadata: {name: argo, namespace: corpus, labels: {app: web}}
spec: {crew: 50, port: Iolcus, sails: [{name: main, area: 12.5}, {name: jib, area: 3}]}
---
apiVersion: example.com/v1
kind: Boat
metadata: {name: raft, namespace: corpus}
spec: {crew: 1}
`;

export const events = `
apiVersion: v1
kind: Event
metadata: {name: web.1, namespace: corpus}
involvedObject: {apiVersion: v1, kind: Pod, name: web, namespace: corpus, uid: WEB-UID, fieldPath: "spec.containers{main}"}
reason: Pulled
message: Container image "nginx:1.27" already present on machine
type: Normal
count: 1
firstTimestamp: "2026-01-01T00:00:00Z"
lastTimestamp: "2026-01-01T00:00:00Z"
source: {component: kubelet, host: worker-1}
---
apiVersion: v1
kind: Event
metadata: {name: web.2, namespace: corpus}
involvedObject: {apiVersion: v1, kind: Pod, name: web, namespace: corpus, uid: WEB-UID}
reason: BackOff
message: Back-off restarting failed container
type: Warning
count: 3
firstTimestamp: "2026-01-01T00:00:00Z"
lastTimestamp: "2026-01-01T00:05:00Z"
source: {component: kubelet, host: worker-1}
`;

/** Statuses that nobody else writes: the nodes are not there. */
export const statuses: readonly { kind: string; name: string; status: unknown; namespaced: boolean }[] = [
  {
    kind: "node",
    name: "worker-1",
    namespaced: false,
    status: {
      capacity: { cpu: "4", memory: "8Gi", pods: "110", "ephemeral-storage": "100Gi" },
      allocatable: { cpu: "3800m", memory: "7Gi", pods: "110", "ephemeral-storage": "90Gi" },
      addresses: [
        { type: "InternalIP", address: "192.0.2.1" },
        { type: "Hostname", address: "worker-1" },
      ],
      conditions: [
        {
          type: "Ready",
          status: "Unknown",
          reason: "NodeStatusUnknown",
          message: "Kubelet stopped posting node status.",
          lastHeartbeatTime: "2026-01-01T00:00:00Z",
          lastTransitionTime: "2026-01-01T00:00:00Z",
        },
      ],
      nodeInfo: {
        machineID: "m",
        systemUUID: "s",
        bootID: "b",
        kernelVersion: "6.1.0",
        osImage: "Debian GNU/Linux 12 (bookworm)",
        containerRuntimeVersion: "containerd://1.7.0",
        kubeletVersion: "v1.36.0",
        kubeProxyVersion: "",
        operatingSystem: "linux",
        architecture: "amd64",
      },
      images: [{ names: ["nginx:1.27"], sizeBytes: 1000 }],
    },
  },
  {
    kind: "pod",
    name: "web",
    namespaced: true,
    status: {
      phase: "Running",
      podIP: "10.42.9.5",
      podIPs: [{ ip: "10.42.9.5" }],
      hostIP: "192.0.2.1",
      qosClass: "Burstable",
      startTime: "2026-01-01T00:00:00Z",
      conditions: [
        { type: "Initialized", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" },
        {
          type: "Ready",
          status: "False",
          reason: "ContainersNotReady",
          message: "containers with unready status: [sidecar]",
          lastTransitionTime: "2026-01-01T00:00:00Z",
        },
      ],
      initContainerStatuses: [
        {
          name: "setup",
          image: "busybox:1",
          imageID: "docker.io/library/busybox@sha256:01",
          containerID: "containerd://0a",
          ready: true,
          restartCount: 0,
          state: {
            terminated: {
              exitCode: 0,
              reason: "Completed",
              startedAt: "2026-01-01T00:00:00Z",
              finishedAt: "2026-01-01T00:00:01Z",
            },
          },
        },
      ],
      containerStatuses: [
        {
          name: "main",
          image: "nginx:1.27",
          imageID: "docker.io/library/nginx@sha256:02",
          containerID: "containerd://0b",
          ready: true,
          started: true,
          restartCount: 2,
          state: { running: { startedAt: "2026-01-01T00:00:03Z" } },
          lastState: {
            terminated: {
              exitCode: 137,
              reason: "OOMKilled",
              message: "too much",
              startedAt: "2026-01-01T00:00:01Z",
              finishedAt: "2026-01-01T00:00:02Z",
            },
          },
        },
        {
          name: "sidecar",
          image: "busybox",
          imageID: "",
          ready: false,
          started: false,
          restartCount: 0,
          state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
        },
      ],
    },
  },
  {
    kind: "pod",
    name: "broken",
    namespaced: true,
    status: {
      phase: "Pending",
      hostIP: "192.0.2.1",
      startTime: "2026-01-01T00:00:00Z",
      containerStatuses: [
        {
          name: "only",
          image: "busybox:nope",
          imageID: "",
          ready: false,
          restartCount: 0,
          state: { waiting: { reason: "ImagePullBackOff", message: "Back-off pulling image" } },
        },
      ],
    },
  },
  {
    kind: "pod",
    name: "finished",
    namespaced: true,
    status: {
      phase: "Succeeded",
      podIP: "10.42.9.6",
      podIPs: [{ ip: "10.42.9.6" }],
      hostIP: "192.0.2.1",
      startTime: "2026-01-01T00:00:00Z",
      containerStatuses: [
        {
          name: "only",
          image: "busybox:1",
          imageID: "i",
          containerID: "containerd://0c",
          ready: false,
          restartCount: 0,
          state: {
            terminated: {
              exitCode: 0,
              reason: "Completed",
              startedAt: "2026-01-01T00:00:01Z",
              finishedAt: "2026-01-01T00:00:02Z",
            },
          },
        },
      ],
    },
  },
];
