/** What every transformer is: something that changes a list of objects in place, in its turn. */
import type { ResourceList } from "#git/render/resource-list.ts";

export type Transform = (list: ResourceList) => void;
