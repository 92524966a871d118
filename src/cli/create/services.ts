/** `capstan create service clusterip|nodeport|loadbalancer|externalname`. */
import type { Command, Flag, FlagValues } from "#cli/command.ts";
import { UsageError } from "#cli/command.ts";
import { commaValues, createSubcommand } from "./subcommand.ts";

const tcp: Flag = {
  name: "tcp",
  type: "strings",
  placeholder: "PORT[:TARGET]",
  help: "A port and where it leads; may be repeated",
};

function serviceCommand(
  word: string,
  type: string,
  summary: string,
  example: string,
  own: readonly Flag[],
  required: readonly string[] = [],
): Command {
  return createSubcommand({
    word: `service ${word}`,
    summary,
    examples: [example],
    flags: [tcp, ...own],
    required,
    build({ flags }, name) {
      const labels = { app: name };
      const ports = commaValues(flags.strings("tcp")).map((text) => servicePort(text, flags));
      const isHeadless = flags.string("clusterip") === "None";
      if (ports.length === 0 && type !== "ExternalName" && !isHeadless)
        throw new UsageError("at least one tcp port specifier must be provided");
      return {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name, labels },
        spec: {
          ...(flags.given("clusterip") ? { clusterIP: flags.string("clusterip") } : {}),
          ...(flags.given("external-name") ? { externalName: flags.string("external-name") } : {}),
          ...(ports.length === 0 ? {} : { ports }),
          selector: labels,
          type,
        },
        status: { loadBalancer: {} },
      };
    },
  });
}

function servicePort(text: string, flags: FlagValues) {
  const [port = "", target = port] = text.split(":", 2);
  if (!/^\d+$/.test(port)) throw new UsageError(`failed to parse port: ${text}`);
  const nodePort = flags.integer("node-port") > 0 ? { nodePort: flags.integer("node-port") } : {};
  return {
    name: text.replace(":", "-"),
    port: Number(port),
    protocol: "TCP",
    targetPort: /^\d+$/.test(target) ? Number(target) : target,
    ...nodePort,
  };
}

export const createClusterIp = serviceCommand(
  "clusterip",
  "ClusterIP",
  "Create a Service with a cluster address",
  "capstan create service clusterip web --tcp=80:8080",
  [{ name: "clusterip", type: "string", placeholder: "IP", help: "Its address, or None for a headless one" }],
);
export const createNodePort = serviceCommand(
  "nodeport",
  "NodePort",
  "Create a Service with a port on each node",
  "capstan create service nodeport web --tcp=80",
  [{ name: "node-port", type: "integer", default: 0, placeholder: "PORT", help: "Which port on the nodes" }],
);
export const createLoadBalancer = serviceCommand(
  "loadbalancer",
  "LoadBalancer",
  "Create a Service behind a load balancer",
  "capstan create service loadbalancer web --tcp=80",
  [],
);
export const createExternalName = serviceCommand(
  "externalname",
  "ExternalName",
  "Create a Service that is a name elsewhere",
  "capstan create service externalname db --external-name=db.example.com",
  [{ name: "external-name", type: "string", placeholder: "NAME", help: "The name elsewhere" }],
  ["external-name"],
);
