import { server } from "../server/server.js";
import { useAnswer } from "../server/use_answer.js";
import { text as shared } from "../strings/shared.js";
import { text } from "../strings/settings.js";
import { SettingsError } from "./settings_error.js";
import { WideTable } from "./wide_table.js";

/** The models that analyse meetings, with their licences. */
export function ModelsSection() {
  const answer = useAnswer(async (signal) => (await server.listModels({}, { signal })).models, []);
  return (
    <>
      <p class="hint">{text.models.intro}</p>
      {answer.error !== undefined && <SettingsError error={answer.error} reload={answer.reload} />}
      {!answer.value && answer.loading && <p role="status">{shared.loading}</p>}
      {answer.value && (
        <WideTable label={text.models.list} columns={[text.models.task, text.models.name, text.models.licence, text.models.commercial]}>
          {answer.value.map((model) => (
            <tr key={`${model.task} ${model.name}`}>
              <th scope="row">{model.task}</th>
              <td>
                {model.name} {model.version && <span class="hint">{text.models.digest(model.version)}</span>}
              </td>
              <td>{model.licence || text.models.unknown}</td>
              <td>{commercialUse(model.commercial_use)}</td>
            </tr>
          ))}
        </WideTable>
      )}
    </>
  );
}

function commercialUse(allowed: boolean | undefined): string {
  if (allowed === undefined) return text.models.unknown;
  return allowed ? text.models.allowed : text.models.forbidden;
}
