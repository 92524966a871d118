/** How other machines reach this one. */
import { hostname, networkInterfaces } from "node:os";

/** Names and addresses that clients may reach this machine by. */
export function ownHosts(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return [
    "localhost",
    hostname(),
    ...addresses.filter(({ address }) => !address.startsWith("fe80")).map(({ address }) => address),
  ];
}

/** The address of the interface that the machine announces itself by: the first that is not the loopback's. */
export function mainAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
}
