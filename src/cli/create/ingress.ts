/** `capstan create ingress`: rules from "host/path=service:port[,tls[=secret]]". */
import { UsageError } from "#cli/command.ts";
import { createSubcommand } from "./subcommand.ts";

const ruleForm =
  /^(?<host>[\w*\-.]*)(?<path>\/[^*=]*)(?<prefix>\*)?=(?<service>[^:,]+):(?<port>[^:,]+)[^,]*(?<tls>,tls(?:=(?<secret>.*))?)?$/;

interface Rule {
  host: string;
  path: object;
  tls: { secretName?: string } | undefined;
}

export const createIngress = createSubcommand({
  word: "ingress",
  summary: "Create an ingress",
  examples: [
    'capstan create ingress web --rule="example.com/*=web:80"',
    'capstan create ingress web --rule="example.com/=web:https,tls=certificate" --class=public',
  ],
  flags: [
    {
      name: "rule",
      type: "strings",
      placeholder: "HOST/PATH=SERVICE:PORT",
      help: "A rule; a path that ends in * is a prefix",
    },
    { name: "class", type: "string", placeholder: "NAME", help: "The ingress class" },
    { name: "default-backend", type: "string", placeholder: "SERVICE:PORT", help: "For what no rule is about" },
    { name: "annotation", type: "strings", placeholder: "KEY=VALUE", help: "An annotation; may be repeated" },
  ],
  build({ flags }, name) {
    if (!flags.given("rule") && !flags.given("default-backend"))
      throw new UsageError(
        "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
      );
    const annotations = flags.strings("annotation").map((text) => {
      if (!/^[^=]+=/.test(text))
        throw new UsageError(`annotation ${text} is invalid and should be in format key=[value]`);
      return text.split(/=(.*)/s, 2) as [string, string];
    });
    const rules = flags.strings("rule").map(readRule);
    const [service = "", port] = flags.string("default-backend").split(":", 2);
    if (flags.given("default-backend") && port === undefined)
      throw new UsageError("default-backend should be in format servicename:serviceport");
    const hosts = Map.groupBy(rules, ({ host }) => host);
    const tls = tlsOf(rules);
    return {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name, ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }) },
      spec: {
        ...(port === undefined ? {} : { defaultBackend: backend(service, port) }),
        ...(flags.given("class") ? { ingressClassName: flags.string("class") } : {}),
        ...(rules.length === 0
          ? {}
          : {
              rules: [...hosts].map(([host, own]) => ({
                ...(host === "" ? {} : { host }),
                http: { paths: own.map(({ path }) => path) },
              })),
            }),
        ...(tls.length === 0 ? {} : { tls }),
      },
      status: { loadBalancer: {} },
    };
  },
});

const backend = (name: string, port: string) => ({
  service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } },
});

function readRule(text: string): Rule {
  const match = text.match(ruleForm)?.groups;
  if (match === undefined)
    throw new UsageError(`rule ${text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`);
  const { host = "", path = "", prefix, service = "", port = "", tls, secret } = match;
  return {
    host,
    path: { backend: backend(service, port), path, pathType: prefix === undefined ? "Exact" : "Prefix" },
    tls: tls === undefined ? undefined : secret === undefined ? {} : { secretName: secret },
  };
}

/** One entry a secret, with its hosts; a rule without a host has no certificate. */
function tlsOf(rules: readonly Rule[]): object[] {
  const named = rules.filter(({ tls, host }) => tls !== undefined && host !== "");
  return [...Map.groupBy(named, ({ tls }) => tls?.secretName)].map(([secretName, own]) => ({
    hosts: [...new Set(own.map(({ host }) => host))],
    ...(secretName === undefined ? {} : { secretName }),
  }));
}
