/**
 * What a node has and what of it can be had. Resources with a domain in their name are others', who write them to the node's
 * capacity: the node keeps them and offers as much. Upstream: pkg/kubelet/nodestatus/setters.go, MachineInfo.
 */
export interface NodeResources {
  capacity: Record<string, string>;
  allocatable: Record<string, string>;
}

type Quantities = Readonly<Record<string, string>>;

export function nodeResources(known: { capacity?: Quantities } | undefined, machine: Quantities): NodeResources {
  const foreign = Object.entries(known?.capacity ?? {}).filter(([name]) => name.includes("/"));
  const capacity = { ...Object.fromEntries(foreign), ...machine };
  return { capacity, allocatable: { ...capacity } };
}

/** A patch from what is known to what is wished. It says nothing of what is the same: another may just be changing that. */
export function difference(known: Quantities = {}, wished: Quantities = {}): Record<string, string | null> {
  const gone = Object.keys(known).filter((name) => !Object.hasOwn(wished, name));
  const changed = Object.entries(wished).filter(([name, value]) => known[name] !== value);
  return Object.fromEntries([...gone.map((name) => [name, null] as const), ...changed]);
}
