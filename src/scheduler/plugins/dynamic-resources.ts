/** Devices that a pod claims. Upstream: plugins/dynamicresources. */
import { definePlugin, skip } from "#scheduler/plugin.ts";

export const dynamicResources = definePlugin({
  name: "DynamicResources",
  retryWhen: ["node-added", "resource-claim-changed", "resource-slice-changed", "device-class-changed", "own-change"],
  prepare: () => skip,
  afterRefusal: () => "no new claims to deallocate",
});
