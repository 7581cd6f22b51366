//! The parts that a change is drawn of: its head, the difference that it makes, the plan of its
//! undo.

import { Text, Value } from "../parts/text.tsx";
import { isObject, type Json } from "../json.ts";
import { label } from "../view/shown.ts";
import { stateText, type Change, type ChangedRecord, type Detail } from "./change.ts";
import type { UndoPlan } from "./undo_plan.ts";

export function ChangeHead({ change }: { change: Change }) {
  const by = change.client ?? change.caller;
  return (
    <span class="change-head">
      <span class="change-number">{change.id}</span> <Text text={label(change.tool)} />
      {change.record !== undefined && (
        <>
          : <Text text={change.record} />
        </>
      )}
      <span class="change-about">
        {change.at !== "" && <Value value={change.at} name="at" />}
        {by !== undefined && (
          <span>
            by <Text text={by} />
            {change.client !== undefined && change.caller !== undefined && (
              <>
                {" "}
                (<Text text={change.caller} />)
              </>
            )}
          </span>
        )}
        {change.connector !== undefined && <Text text={change.connector} />}
        {change.state !== "done" && <span class={`state ${change.state}`}>{stateText(change.state)}</span>}
        {change.undoes !== undefined && <span>undoes {change.undoes}</span>}
      </span>
    </span>
  );
}

export function Difference({ detail }: { detail: Detail }) {
  return (
    <div class="difference">
      {detail.change.message !== undefined && (
        <p>
          <Text text={detail.change.message} />
        </p>
      )}
      {detail.records.map((record, at) => (
        <RecordDifference key={at} record={record} />
      ))}
      {detail.records.every((record) => record.differences.length === 0) && Object.keys(detail.args).length > 0 && (
        <table>
          <caption>What it was called with</caption>
          <tbody>
            {Object.entries(detail.args).map(([name, value]) => (
              <tr key={name}>
                <th scope="row">
                  <Text text={label(name)} />
                </th>
                <td dir="auto">
                  <Whole value={value} name={name} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function RecordDifference({ record }: { record: ChangedRecord }) {
  const isChanged = record.how === "changed";
  return (
    <>
      <h4>
        <Text text={record.name} />
        {record.how === "touched" ? "" : `: ${record.how}`}
      </h4>
      {record.notKept !== undefined && (
        <p class="hint">
          <Text text={record.notKept} />
        </p>
      )}
      {record.differences.length > 0 && (
        <div class="table-place" role="region" aria-label={`What becomes of ${record.name}`} tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Field</th>
                {record.how !== "made" && <th scope="col">Before</th>}
                {record.how !== "deleted" && <th scope="col">After</th>}
              </tr>
            </thead>
            <tbody>
              {record.differences.map(({ field, before, after }) => (
                <tr key={field}>
                  <th scope="row">
                    <Text text={label(field)} />
                  </th>
                  {record.how !== "made" && (
                    <td dir="auto" class={isChanged ? "before" : ""}>
                      <Whole value={before} name={field} />
                    </td>
                  )}
                  {record.how !== "deleted" && (
                    <td dir="auto" class={isChanged ? "after" : ""}>
                      <Whole value={after} name={field} />
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

/** A value with nothing of it left out, as somebody decides by it. */
function Whole({ value, name }: { value: Json | undefined; name: string }) {
  if (isObject(value) || (Array.isArray(value) && value.some((item) => typeof item === "object"))) {
    return <pre class="plain">{JSON.stringify(value, null, 1)}</pre>;
  }
  if (typeof value === "string" && value.includes("\n")) return <pre class="plain">{value}</pre>;
  return <Value value={value} name={name} />;
}

export function Plan({ plan }: { plan: UndoPlan }) {
  return (
    <div class="plan">
      {plan.note !== undefined && <p>{plan.note}</p>}
      <Sentences title="This will be done" texts={plan.steps} />
      <Sentences title="This stays as it is" texts={plan.left} />
      <Sentences title="This is not brought back" texts={plan.lost} />
      {plan.steps.length === 0 && <p>Nothing is left to undo.</p>}
    </div>
  );
}

export function Sentences({ title, texts }: { title: string; texts: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      <ul>
        {texts.map((text, at) => (
          <li key={at}>
            <Text text={text} />
          </li>
        ))}
      </ul>
    </>
  );
}
