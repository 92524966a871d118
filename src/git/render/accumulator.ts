/** What a kustomization has gathered so far: objects, the configuration of its transformers, and variables. */
import type { Resource } from "./resource.ts";
import { ResourceList } from "./resource-list.ts";
import { emptyConfig, mergeConfigs, type TransformerConfig } from "./transformer-config.ts";
import { VariableSet } from "./transformers/variables.ts";

export class Accumulator {
  readonly list = new ResourceList();
  readonly variables = new VariableSet();
  config: TransformerConfig = emptyConfig;

  append(items: readonly Resource[]): void {
    this.list.append(items);
  }

  mergeConfig(config: TransformerConfig): void {
    this.config = mergeConfigs(this.config, config);
  }

  merge(other: Accumulator): void {
    this.append(other.list.items);
    this.mergeConfig(other.config);
    this.variables.add(other.variables.all());
  }
}
