/** The rules of network policies. Upstream: ValidateNetworkPolicySpec in pkg/apis/networking/validation/validation.go. */
import type { V1IPBlock, V1NetworkPolicy, V1NetworkPolicyPeer, V1NetworkPolicyPort } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { labelSelectorErrors } from "#api/label-selector.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isPortName, isPortNumber } from "#api/validation/formats.ts";
import { cidrErrors, cidrWarnings, parseCidr } from "#api/validation/ip.ts";
import { containsCidr } from "./cidr-range.ts";

const protocols = ["TCP", "UDP", "SCTP"];
const policyTypes = ["Ingress", "Egress"];

/** Ranges that the old policy had: they may stay, whatever their form. */
type Known = ReadonlySet<string>;

export function networkPolicyErrors({ spec = {} }: V1NetworkPolicy, old: V1NetworkPolicy | undefined): FieldError[] {
  const known = rangesOf(old);
  const errors = labelSelectorErrors(spec.podSelector, "spec.podSelector");
  for (const [index, rule] of (spec.ingress ?? []).entries())
    errors.push(...ruleErrors(rule.ports, rule.from, `spec.ingress[${index}]`, "from", known));
  for (const [index, rule] of (spec.egress ?? []).entries())
    errors.push(...ruleErrors(rule.ports, rule.to, `spec.egress[${index}]`, "to", known));
  return [...errors, ...policyTypesErrors(spec.policyTypes ?? [])];
}

function rangesOf(policy: V1NetworkPolicy | undefined): Known {
  const { ingress = [], egress = [] } = policy?.spec ?? {};
  const peers = [...ingress.flatMap(({ from }) => from ?? []), ...egress.flatMap(({ to }) => to ?? [])];
  return new Set(
    peers.flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : [ipBlock.cidr, ...(ipBlock.except ?? [])])),
  );
}

/** Of ranges that another would write otherwise. */
export function networkPolicyWarnings({ spec = {} }: V1NetworkPolicy): string[] {
  const { ingress = [], egress = [] } = spec;
  return [
    ...ingress.flatMap(({ from }, index) => peersWarnings(from, `spec.ingress[${index}].from`)),
    ...egress.flatMap(({ to }, index) => peersWarnings(to, `spec.egress[${index}].to`)),
  ];
}

const peersWarnings = (peers: readonly V1NetworkPolicyPeer[] | undefined, path: string): string[] =>
  (peers ?? []).flatMap(({ ipBlock }, index) => {
    if (ipBlock === undefined) return [];
    const at = `${path}[${index}].ipBlock`;
    const except = ipBlock.except ?? [];
    return [
      ...cidrWarnings(`${at}.cidr`, ipBlock.cidr),
      ...except.flatMap((range, position) => cidrWarnings(`${at}.except[${position}]`, range)),
    ];
  });

function policyTypesErrors(types: readonly string[]): FieldError[] {
  if (types.length > policyTypes.length)
    return [invalid("spec.policyTypes", types, "may not specify more than two policyTypes")];
  return types.flatMap((type, index) =>
    policyTypes.includes(type) ? [] : [notSupported(`spec.policyTypes[${index}]`, type, policyTypes)],
  );
}

function ruleErrors(
  ports: readonly V1NetworkPolicyPort[] | undefined,
  peers: readonly V1NetworkPolicyPeer[] | undefined,
  path: string,
  peersField: string,
  known: Known,
): FieldError[] {
  return [
    ...(ports ?? []).flatMap((port, index) => policyPortErrors(port, `${path}.ports[${index}]`)),
    ...(peers ?? []).flatMap((peer, index) => peerErrors(peer, `${path}.${peersField}[${index}]`, known)),
  ];
}

function policyPortErrors({ protocol, port, endPort }: V1NetworkPolicyPort, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (protocol !== undefined && !protocols.includes(protocol))
    errors.push(notSupported(`${path}.protocol`, protocol, protocols));
  const unfit = (text: string) => (endPort === undefined ? [] : [invalid(`${path}.endPort`, endPort, text)]);
  if (port === undefined) return [...errors, ...unfit("may not be specified when `port` is not specified")];
  if (typeof port === "string")
    return [
      ...errors,
      ...unfit("may not be specified when `port` is non-numeric"),
      ...invalidEach(`${path}.port`, port, isPortName(port)),
    ];
  errors.push(...invalidEach(`${path}.port`, port, isPortNumber(port)));
  if (endPort === undefined) return errors;
  // Upstream shows the port, not the end.
  if (endPort < port) errors.push(invalid(`${path}.endPort`, port, "must be greater than or equal to `port`"));
  return [...errors, ...invalidEach(`${path}.endPort`, endPort, isPortNumber(endPort))];
}

function peerErrors(
  { podSelector, namespaceSelector, ipBlock }: V1NetworkPolicyPeer,
  path: string,
  known: Known,
): FieldError[] {
  const selectors = [podSelector, namespaceSelector].filter((selector) => selector !== undefined).length;
  const errors = [
    ...(podSelector === undefined ? [] : labelSelectorErrors(podSelector, `${path}.podSelector`)),
    ...(namespaceSelector === undefined ? [] : labelSelectorErrors(namespaceSelector, `${path}.namespaceSelector`)),
    ...(ipBlock === undefined ? [] : ipBlockErrors(ipBlock, `${path}.ipBlock`, known)),
  ];
  if (selectors + (ipBlock === undefined ? 0 : 1) === 0) errors.push(required(path, "must specify a peer"));
  else if (ipBlock !== undefined && selectors > 0)
    errors.push(forbidden(path, "may not specify both ipBlock and another peer"));
  return errors;
}

function ipBlockErrors({ cidr, except }: V1IPBlock, path: string, known: Known): FieldError[] {
  if ((cidr ?? "") === "") return [required(`${path}.cidr`)];
  const errors = rangeErrors(`${path}.cidr`, cidr, known);
  const range = parseCidr(cidr);
  if (range === undefined) return errors;
  for (const [index, one] of (except ?? []).entries()) {
    const field = `${path}.except[${index}]`;
    errors.push(...rangeErrors(field, one, known));
    const excepted = parseCidr(one);
    if (excepted !== undefined && (!containsCidr(range, excepted) || range.prefix >= excepted.prefix))
      errors.push(invalid(field, one, "must be a strict subset of `cidr`"));
  }
  return errors;
}

const rangeErrors = (field: string, range: string, known: Known): FieldError[] =>
  known.has(range) ? [] : cidrErrors(field, range);
