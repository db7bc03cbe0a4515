// The same answer straight from the package, on the bundling machine, with no plugin and no wsmgr in between.
import { readFileSync } from "node:fs";
import { DateTime, Duration } from "luxon";

const { participants, meetings } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const answer = { meetings: [] };
for (const { title, start: text, zone, duration, every, times } of meetings) {
  const start = DateTime.fromISO(text, { zone });
  const local = {};
  for (const person of participants) local[person.name] = start.setZone(person.zone).toFormat("yyyy-MM-dd HH:mm");
  const next = [];
  for (let n = 1; n <= times; n += 1) next.push(start.plus({ [every]: n }).toISO());
  answer.meetings.push({
    title,
    utc: start.toUTC().toISO(),
    minutes: Duration.fromObject(duration).as("minutes"),
    local,
    next,
    week: start.weekNumber,
    step: { [every]: 1 },
  });
}
process.stdout.write(JSON.stringify(answer));
