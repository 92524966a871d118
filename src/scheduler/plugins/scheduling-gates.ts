/** A pod with gates waits until all are removed. The API server notes that in its status. Upstream: plugins/schedulinggates. */
import { definePlugin } from "#scheduler/plugin.ts";

export const schedulingGates = definePlugin({
  name: "SchedulingGates",
  retryWhen: ["own-change"],
  holds({ spec }) {
    const gates = spec.schedulingGates ?? [];
    return gates.length === 0 ? undefined : `waiting for scheduling gates: ${gates.map(({ name }) => name).join(", ")}`;
  },
});
