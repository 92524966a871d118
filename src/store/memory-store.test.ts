import { createMemoryStore } from "./memory-store.ts";
import { describeStore } from "./store-suite.ts";

describeStore("memory store", async () => createMemoryStore(), 100);
