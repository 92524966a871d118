/** Tells of nodes that come and go. Upstream: monitorNodeHealth in pkg/controller/nodelifecycle. */
import { Node } from "#api/core/node.ts";
import { keyText } from "#client/resource-path.ts";
import { defineReconciler, event } from "#reconcilers/reconciler.ts";

/** Which nodes are known is remembered by the process: the next one tells of all of them again, as upstream does. */
export function nodeRegistrationReconciler() {
  const known = new Map<string, string>();
  return defineReconciler<Node>({
    name: "node-registration",
    component: "node-controller",
    watches: Node,
    ignores: (node, old) => node.metadata.uid === old.metadata.uid,
    reconcile({ metadata: { name = "", uid = "" } }) {
      const key = keyText({ name });
      if (known.get(key) === uid) return [];
      known.set(key, uid);
      return [told(name, uid, "RegisteredNode", `Registered Node ${name} in Controller`)];
    },
    gone(key) {
      const uid = known.get(keyText(key));
      if (uid === undefined) return [];
      known.delete(keyText(key));
      const { name = "" } = key;
      return [told(name, uid, "RemovingNode", `Removing Node ${name} from Controller`)];
    },
  });
}

const told = (name: string, uid: string, reason: string, message: string) =>
  event({ apiVersion: "v1", kind: "Node", name, uid }, "Normal", reason, `Node ${name} event: ${message}`);
