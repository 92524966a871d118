/** `capstan rollback`: makes the revert commit of the last applied change, pushes it and lets the cluster follow. */
import { rollBack } from "#git/rollback.ts";
import { sourceAccess } from "#git/source-access.ts";
import { type Command, UsageError } from "./command.ts";
import { chosenKustomization, kustomizationFlag, sourceOf, sourceSecret } from "./git-objects.ts";
import { openSession, sessionFlags } from "./session.ts";
import { sync } from "./sync.ts";

export const rollbackCommand: Command = {
  name: "rollback",
  group: "Git",
  summary: "Undo the last applied commit in Git, and follow it",
  description:
    "Makes a commit in the repository that reverts the commit that was applied last, pushes it, and waits until the cluster has it.\nWith --to, the commit restores the content of an older revision instead.",
  usage: "capstan rollback [--to REV] [flags]",
  examples: ["capstan rollback", "capstan rollback --to 3f1c2d4", "capstan rollback --author 'Ada <ada@example.com>'"],
  flags: [
    ...sessionFlags,
    kustomizationFlag,
    { name: "to", type: "string", placeholder: "REV", help: "Restore the content of this commit" },
    {
      name: "author",
      type: "string",
      default: "Capstan <capstan@localhost>",
      placeholder: "NAME <EMAIL>",
      help: "Author of the commit",
    },
    {
      name: "timeout",
      type: "integer",
      default: 120,
      placeholder: "SECONDS",
      help: "How long to wait for the cluster",
    },
  ],
  async run(invocation) {
    const { flags, io } = invocation;
    const session = openSession(invocation);
    try {
      const kustomization = await chosenKustomization(session, flags);
      const source = await sourceOf(session, kustomization);
      const applied =
        kustomization.status?.lastAppliedRevision?.match(/sha1:([0-9a-f]{40})$/)?.[1] ??
        kustomization.status?.lastAttemptedRevision?.match(/sha1:([0-9a-f]{40})$/)?.[1];
      if (applied === undefined) throw new UsageError("nothing has been applied yet: there is nothing to roll back");
      const branch = source.spec.ref?.branch;
      if (branch === undefined)
        throw new UsageError(
          "the GitRepository follows no branch (spec.ref.branch): a revert commit has nowhere to go",
        );
      const author = flags.string("author").match(/^(.+?)\s*<([^<>]+)>$/);
      if (author === null) throw new UsageError("--author must be of the form 'Name <email>'");
      const secret = await sourceSecret(session, source);
      const result = await rollBack({
        url: source.spec.url,
        branch,
        ...sourceAccess(secret, source.spec.timeout),
        author: { name: author[1]!, email: author[2]! },
        undo: applied,
        ...(flags.given("to") ? { to: flags.string("to") } : {}),
      });
      io.stdout(`✔ ${branch} is at ${result.commit.slice(0, 12)} ${result.message}\n`);
      return await sync(session, kustomization, flags.integer("timeout") * 1000, io);
    } finally {
      session.close();
    }
  },
};
