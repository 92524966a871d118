/**
 * Watchers of a store: each gets every event after its revision once, in revision order, never a part of a revision.
 * A new watcher first catches up from history (memory or disk), then receives what is published.
 */
import type { StoreEvent, StoreWatcher } from "./store.ts";
import type { AppliedTransaction } from "./transaction.ts";

export interface HistorySource {
  /** The newest published revision. */
  revision(): number;
  /**
   * Transactions with a revision greater than `afterRevision`, oldest first: at least one if there is any. A promise
   * when they come from disk. Throws or rejects with CompactedError.
   */
  transactionsAfter(afterRevision: number): readonly AppliedTransaction[] | Promise<readonly AppliedTransaction[]>;
}

export interface WatchHub {
  watch(prefix: string, afterRevision: number, watcher: StoreWatcher): () => void;
  /** The source's revision must already be the last one of these. */
  publish(transactions: readonly AppliedTransaction[]): void;
  /** Ends every watch. */
  end(error: Error | undefined): void;
}

interface Subscription {
  prefix: string;
  watcher: StoreWatcher;
  /** Invariant: every matching event up to this revision was delivered. */
  cursor: number;
  state: "catching-up" | "live" | "ended";
}

export function createWatchHub(source: HistorySource): WatchHub {
  const subscriptions = new Set<Subscription>();

  function end(subscription: Subscription, error: Error | undefined): void {
    if (subscription.state === "ended") return;
    subscription.state = "ended";
    subscriptions.delete(subscription);
    subscription.watcher.onEnd(error);
  }

  function deliver(subscription: Subscription, transactions: readonly AppliedTransaction[]): void {
    const { prefix, cursor } = subscription;
    const events: StoreEvent[] = [];
    let last = cursor;
    for (const { revision, events: changed } of transactions) {
      if (revision <= cursor) continue;
      last = revision;
      for (const event of changed) if (event.key.startsWith(prefix)) events.push(event);
    }
    subscription.cursor = last;
    if (events.length === 0) return;
    try {
      subscription.watcher.onEvents(events, last);
    } catch (error) {
      end(subscription, error instanceof Error ? error : new Error(String(error)));
    }
  }

  async function catchUp(subscription: Subscription): Promise<void> {
    try {
      while (subscription.state === "catching-up") {
        if (subscription.cursor >= source.revision()) {
          subscription.state = "live";
          return;
        }
        const found = source.transactionsAfter(subscription.cursor);
        const transactions = found instanceof Promise ? await found : found;
        // The watch may have ended while the disk was read.
        if ((subscription.state as Subscription["state"]) === "ended") return;
        deliver(subscription, transactions);
      }
    } catch (error) {
      end(subscription, error instanceof Error ? error : new Error(String(error)));
    }
  }

  return {
    watch(prefix, afterRevision, watcher) {
      const subscription: Subscription = { prefix, watcher, cursor: afterRevision, state: "catching-up" };
      subscriptions.add(subscription);
      queueMicrotask(() => void catchUp(subscription));
      return () => {
        subscription.state = "ended";
        subscriptions.delete(subscription);
      };
    },
    publish(transactions) {
      if (transactions.length === 0) return;
      for (const subscription of subscriptions) if (subscription.state === "live") deliver(subscription, transactions);
    },
    end(error) {
      for (const subscription of subscriptions) end(subscription, error);
    },
  };
}
