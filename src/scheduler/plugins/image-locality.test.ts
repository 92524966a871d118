import { expect, it } from "vitest";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { scores } from "#scheduler/try-plugin.ts";
import { imageLocality } from "./image-locality.ts";

const mebibyte = 2 ** 20;
const withImage = (name: string, image: string, size: number) =>
  node(name, { images: [{ names: [image], sizeBytes: size * mebibyte }] });
const running = (image: string) => pod("p", { containers: [{ name: "c", image }] });

it.each([
  ["a large image", "big", [withImage("a", "big:latest", 900), node("b")], [43, 0]],
  ["a small image does not count", "small", [withImage("a", "small:latest", 20), node("b")], [0, 0]],
  ["another tag does not count", "big:2", [withImage("a", "big:latest", 900), node("b")], [0, 0]],
  ["a registry's port is no tag", "r:5000/big", [withImage("a", "r:5000/big:latest", 900), node("b")], [43, 0]],
  [
    "what all nodes have counts in full",
    "big",
    [withImage("a", "big:latest", 1023), withImage("b", "big:latest", 9)],
    [100, 100],
  ],
])("ImageLocality: %s", (_, image, objects, expected) => {
  expect(scores(imageLocality, running(image), objects)).toEqual(expected);
});
