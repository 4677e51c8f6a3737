import { Waiting } from "../parts/waiting.js";
import { server } from "../server/server.js";
import { useAnswer } from "../server/use_answer.js";
import { text } from "../strings/settings.js";
import { SettingsError } from "./settings_error.js";
import { WideTable } from "./wide_table.js";

/** The models that analyse meetings, with their licences. */
export function ModelsSection() {
  const answer = useAnswer(async (signal) => (await server.listModels({}, { signal })).models, []);
  return (
    <>
      <p class="hint">{text.models.intro}</p>
      <Waiting answer={answer} Problem={SettingsError}>
        {(models) => (
          <WideTable label={text.models.list} columns={[text.models.task, text.models.name, text.models.licence, text.models.commercial]}>
            {models.map((model) => (
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
      </Waiting>
    </>
  );
}

function commercialUse(allowed: boolean | undefined): string {
  if (allowed === undefined) return text.models.unknown;
  return allowed ? text.models.allowed : text.models.forbidden;
}
