/** `capstan create token`: a token of a service account, for a while. */
import { ServiceAccount } from "#api/core/service-account.ts";
import type { UnknownObject } from "#api/object.ts";
import { StatusError } from "#api/status-error.ts";
import { type Command, type FlagValues, UsageError, hinted } from "#cli/command.ts";
import { createPrinter, outputHelp, writeFormats } from "#cli/output.ts";
import { sessionFlags, withSession } from "#cli/session.ts";

/** What a token may be bound to. */
const boundKinds: Readonly<Record<string, string>> = { Node: "v1", Pod: "v1", Secret: "v1" };

export const createToken: Command = {
  name: "create token",
  group: "Objects",
  summary: "Request a token of a service account",
  usage: "capstan create token SERVICE_ACCOUNT_NAME [flags]",
  examples: ["capstan create token robot", "capstan create token robot --duration=10m --audience=https://example.com"],
  flags: [
    ...sessionFlags,
    { name: "audience", type: "strings", placeholder: "TEXT", help: "Whom it is for; may be repeated" },
    { name: "duration", type: "duration", default: "0s", help: "How long it is good for" },
    {
      name: "bound-object-kind",
      type: "string",
      placeholder: "Node|Pod|Secret",
      help: "Good as long as an object of this kind is there",
    },
    { name: "bound-object-name", type: "string", placeholder: "NAME", help: "That object's name" },
    { name: "bound-object-uid", type: "string", placeholder: "UID", help: "That object's uid" },
    { name: "output", short: "o", type: "string", help: outputHelp },
  ],
  async run(invocation) {
    const { args, flags, io } = invocation;
    if (args.length !== 1) throw hinted(`exactly one NAME is required, got ${args.length}`, "create token");
    const printer = createPrinter(flags.string("output"), { allowed: writeFormats });
    const spec = tokenSpec(flags);
    return await withSession(invocation, async ({ client, namespace }) => {
      const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", metadata: {}, spec };
      const request = await client
        .createSubresource(ServiceAccount, { name: args[0]!, namespace }, "token", body)
        .catch((error: unknown) => {
          throw error instanceof StatusError ? new UsageError(`failed to create token: ${error.message}`) : error;
        });
      const { token } = request["status"] as { token: string };
      io.stdout(printer === undefined ? `${token}\n` : printer(request as UnknownObject));
      return 0;
    });
  },
};

function tokenSpec(flags: FlagValues): object {
  const [kind, name, uid] = ["kind", "name", "uid"].map((one) => flags.string(`bound-object-${one}`));
  if (kind === "" && name !== "")
    throw new UsageError("--bound-object-name can only be set if --bound-object-kind is provided");
  if (kind === "" && uid !== "")
    throw new UsageError("--bound-object-uid can only be set if --bound-object-kind is provided");
  if (kind !== "" && boundKinds[kind!] === undefined)
    throw new UsageError(`supported --bound-object-kind values are ${Object.keys(boundKinds).join(", ")}`);
  if (kind !== "" && name === "")
    throw new UsageError("--bound-object-name is required if --bound-object-kind is provided");
  const lastsMs = flags.durationMs("duration");
  if (lastsMs < 0) throw new UsageError("--duration must be greater than or equal to 0");
  const seconds = Math.floor(lastsMs / 1000);
  return {
    audiences: flags.strings("audience"),
    ...(seconds > 0 ? { expirationSeconds: seconds } : {}),
    ...(kind === ""
      ? {}
      : { boundObjectRef: { kind, apiVersion: boundKinds[kind!], name, ...(uid === "" ? {} : { uid }) } }),
  };
}
