"""What manifests of ours may say, as JSON Schemas: closed, so that a misspelt key is an error, and
no wider than what systemd/container/ uses. Kubernetes' own schemas are the model."""


def closed(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required),
            "additionalProperties": False}


def listing(items, **more):
    return {"type": "array", "items": items, "minItems": 1, **more}


TEXT = {"type": "string", "minLength": 1}
NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"}
PATH = {"type": "string", "pattern": "^/"}
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
UID = {"type": "integer", "minimum": 0}
SECONDS = {"type": "integer", "minimum": 1}
QUANTITY = {"type": "string", "pattern": "^[0-9]+(m|Ki|Mi|Gi)?$"}
QUANTITIES = closed(cpu=QUANTITY, memory=QUANTITY)
NO = {"const": False}
YES = {"const": True}

METADATA = closed(["name"], name=NAME, namespace=NAME, labels=TEXTS)
PROBE = closed(["exec"], exec=closed(["command"], command=listing(TEXT)), periodSeconds=SECONDS,
               timeoutSeconds=SECONDS, failureThreshold=SECONDS)
CONFINED = closed(["allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities"],
                  allowPrivilegeEscalation=NO, readOnlyRootFilesystem=YES,
                  capabilities=closed(["drop"], drop={"const": ["ALL"]}))
CONTAINER = closed(
    ["name", "image", "volumeMounts", "securityContext"], name=NAME, image=TEXT,
    command=listing(TEXT), args=listing(TEXT), restartPolicy={"const": "Always"},
    env=listing(closed(["name", "value"], name={"type": "string", "pattern": "^[A-Z_0-9]+$"}, value=TEXT)),
    volumeMounts=listing(closed(["name", "mountPath"], name=NAME, mountPath=PATH, readOnly=YES)),
    startupProbe=PROBE, readinessProbe=PROBE,
    resources=closed(requests=QUANTITIES, limits=QUANTITIES), securityContext=CONFINED)
VOLUME = {"oneOf": [
    closed(["name", "emptyDir"], name=NAME, emptyDir=closed(medium={"const": "Memory"}, sizeLimit=QUANTITY)),
    closed(["name", "hostPath"], name=NAME, hostPath=closed(
        ["path", "type"], path=PATH, type={"enum": ["Directory", "DirectoryOrCreate"]})),
    closed(["name", "configMap"], name=NAME, configMap=closed(["name"], name=NAME)),
    closed(["name", "secret"], name=NAME, secret=closed(
        ["secretName", "defaultMode"], secretName=NAME, defaultMode={"enum": [0o400, 0o440]})),
]}
POD = closed(
    ["volumes", "containers", "securityContext"], containers=listing(CONTAINER),
    initContainers=listing(CONTAINER), volumes=listing(VOLUME), automountServiceAccountToken=NO,
    restartPolicy={"enum": ["Always", "OnFailure", "Never"]},
    securityContext=closed(["runAsUser", "runAsGroup", "seccompProfile"], runAsUser=UID, runAsGroup=UID,
                           fsGroup=UID, runAsNonRoot=YES,
                           seccompProfile=closed(["type"], type={"const": "RuntimeDefault"})))


def kind(version, name, **properties):
    return closed(["apiVersion", "kind", "metadata", *properties], apiVersion={"const": version},
                  kind={"const": name}, metadata=METADATA, **properties)


PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
CLAIM = closed(["metadata", "spec"], metadata=METADATA, spec=closed(
    ["accessModes", "resources"], accessModes=listing({"const": "ReadWriteOnce"}),
    resources=closed(["requests"], requests=closed(["storage"], storage=QUANTITY))))
TEMPLATE = closed(["spec"], metadata=closed(["labels"], labels=TEXTS), spec=POD)
KINDS = {
    "Namespace": closed(["apiVersion", "kind", "metadata"], apiVersion={"const": "v1"},
                        kind={"const": "Namespace"}, metadata=METADATA),
    "ConfigMap": kind("v1", "ConfigMap", data=TEXTS),
    "Secret": kind("v1", "Secret", stringData=TEXTS),
    "Pod": kind("v1", "Pod", spec=POD),
    "Job": kind("batch/v1", "Job", spec=closed(["template"], template=TEMPLATE)),
    "Service": kind("v1", "Service", spec=closed(
        ["selector", "ports"], selector=TEXTS, ports=listing(closed(["name", "port"], name=NAME, port=PORT)))),
    "StatefulSet": kind("apps/v1", "StatefulSet", spec=closed(
        ["serviceName", "selector", "template"], serviceName=NAME, replicas=SECONDS,
        selector=closed(["matchLabels"], matchLabels=TEXTS), template=TEMPLATE, volumeClaimTemplates=listing(CLAIM))),
    "DaemonSet": kind("apps/v1", "DaemonSet", spec=closed(
        ["selector", "template"], selector=closed(["matchLabels"], matchLabels=TEXTS), template=TEMPLATE)),
}

CLOUD_INIT = closed(
    ["write_files", "runcmd"],
    users=listing({"oneOf": [{"const": "default"},
                             closed(["name"], name=NAME, groups=listing(TEXT), shell=PATH)]}),
    groups=listing(TEXT), packages=listing(TEXT), package_update={"type": "boolean"},
    write_files=listing(closed(["path", "content"], path=PATH, content=TEXT,
                               permissions={"type": "string", "pattern": "^0[0-7]{3}$"})),
    runcmd=listing(listing(TEXT)))
