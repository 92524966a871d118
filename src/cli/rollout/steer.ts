/** `capstan rollout restart|pause|resume`: small changes that start or hold a rollout. */
import { UsageError } from "#cli/command.ts";
import { type Target, targetName } from "#cli/targets.ts";
import { type Act, rolloutCommand } from "./command.ts";

type Spec = { paused?: boolean } | undefined;

function patching(word: string, patch: () => object, isDone: (spec: Spec) => boolean, already: string): Act {
  return async ({ client }, target, { io }) => {
    const live = await client.get(target.resource, target.key);
    if (isDone(live["spec"] as Spec)) throw new UsageError(`${qualified(target)} ${already}`);
    await client.patch(target.resource, target.key, "strategic", patch());
    io.stdout(`${targetName(target)} ${word}\n`);
    return 0;
  };
}

/** `deployments.apps "web"`. */
const qualified = ({ resource: { plural, group }, key }: Target): string =>
  `${plural}${group === "" ? "" : `.${group}`} "${key.name}"`;

const restart = patching(
  "restarted",
  () => ({
    spec: {
      template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": new Date().toISOString() } } },
    },
  }),
  (spec) => spec?.paused === true,
  "can't restart paused deployment (run rollout resume first)",
);

export const rolloutRestartCommand = rolloutCommand({
  word: "restart",
  summary: "Replace all pods by new ones",
  examples: ["capstan rollout restart deployment/web", "capstan rollout restart deployment -l app=web"],
  kinds: { Deployment: restart, DaemonSet: restart, StatefulSet: restart },
  unsupported: (target) => `${qualified(target)} restarting is not supported`,
});

export const rolloutPauseCommand = rolloutCommand({
  word: "pause",
  summary: "Hold a rollout",
  examples: ["capstan rollout pause deployment/web"],
  kinds: {
    Deployment: patching(
      "paused",
      () => ({ spec: { paused: true } }),
      (spec) => spec?.paused === true,
      "is already paused",
    ),
  },
  unsupported: (target) => `${qualified(target)} pausing is not supported`,
});

export const rolloutResumeCommand = rolloutCommand({
  word: "resume",
  summary: "Go on with a paused rollout",
  examples: ["capstan rollout resume deployment/web"],
  kinds: {
    Deployment: patching(
      "resumed",
      () => ({ spec: { paused: null } }),
      (spec) => spec?.paused !== true,
      "is not paused",
    ),
  },
  unsupported: (target) => `${qualified(target)} resuming is not supported`,
});
