/** CEL expressions about a device, compiled once. Upstream: dynamic-resource-allocation/cel. */
import type { CelProgram } from "#api/cel/program.ts";
import { compileSelector, deviceValue } from "#api/devices/device-program.ts";
import type { V1Device } from "#api/generated/types.ts";
import { PluginFailure } from "#scheduler/plugin.ts";

/** Expressions repeat from pod to pod. */
export const programsMax = 1000;
const programs = new Map<string, CelProgram>();

/** Whether the expression holds for the device. Throws PluginFailure if it cannot be read or evaluated. */
export function selectsDevice(expression: string, driver: string, device: V1Device): boolean {
  try {
    return programOf(expression).run(new Map([["device", deviceValue(driver, device)]])) === true;
  } catch (error) {
    const [first = ""] = String((error as Error).message).split("\n");
    throw new PluginFailure(`CEL runtime error: ${first}`, { cause: error });
  }
}

function programOf(expression: string): CelProgram {
  const known = programs.get(expression);
  if (known !== undefined) return known;
  const program = compileSelector(expression);
  if (programs.size >= programsMax) programs.clear();
  programs.set(expression, program);
  return program;
}
