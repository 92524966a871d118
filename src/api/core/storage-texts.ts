/** How volumes and claims show what they are. Upstream: pkg/apis/core/v1/helper, component-helpers/storage/volume. */
import type { KubernetesObject } from "#api/object.ts";

export const betaClassAnnotation = "volume.beta.kubernetes.io/storage-class";
const shortModes: readonly [mode: string, short: string][] = [
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"],
];

/** "RWO,ROX": each mode once, in a fixed order. */
export const accessModesText = (modes: readonly string[] | undefined): string =>
  shortModes.flatMap(([mode, short]) => (modes?.includes(mode) === true ? [short] : [])).join(",");

/** The class of a volume or claim; the annotation of old versions wins. */
export const storageClassOf = ({
  metadata,
  spec,
}: KubernetesObject & { spec?: { storageClassName?: string } }): string =>
  metadata.annotations?.[betaClassAnnotation] ?? spec?.storageClassName ?? "";

/** The phase, or "Terminating" for what is on its way out. */
export const phaseText = ({ metadata, status }: KubernetesObject & { status?: { phase?: string } }): string =>
  metadata.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating";
