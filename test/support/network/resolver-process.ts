/** Stands for the resolver of the network around: knows one name, and takes any TCP or UDP question. */
import { createSocket } from "node:dgram";
import { decode, encode } from "dns-packet";
import { answerLines } from "./line-process.ts";

const socket = createSocket("udp4");
let asked = 0;
socket.on("message", (message, from) => {
  asked += 1;
  const query = decode(message);
  const [question] = query.questions ?? [];
  const isKnown = question?.name === "outside.example" && question.type === "A";
  const reply = encode({
    type: "response",
    id: query.id ?? 0,
    flags: isKnown ? 0x0180 : 0x0183,
    questions: query.questions ?? [],
    answers: isKnown ? [{ type: "A", name: question.name, ttl: 60, data: "203.0.113.7" }] : [],
  });
  socket.send(reply, from.port, from.address);
});
socket.bind(53, process.argv[2]);

answerLines(async () => asked);
