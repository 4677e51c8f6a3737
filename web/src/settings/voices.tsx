import { Lacking } from "../parts/lacking.js";
import { Waiting } from "../parts/waiting.js";
import { useRights } from "../server/rights.js";
import { server } from "../server/server.js";
import { useAnswer } from "../server/use_answer.js";
import { text } from "../strings/settings.js";
import { ConfirmedButton } from "./confirmed_button.js";
import { Outcome } from "./outcome.js";
import { SettingsError } from "./settings_error.js";
import { useChange } from "./use_change.js";
import { WideTable } from "./wide_table.js";

/** Whether voices are recognised, and which are known. */
export function VoicesSection() {
  const answer = useAnswer((signal) => server.listVoices({}, { signal }), []);
  const { may } = useRights();
  const change = useChange();
  const make = async (call: () => Promise<unknown>, done: string): Promise<void> => {
    await change.make(call, done);
    answer.reload();
  };
  const recognise = (wanted: boolean): void =>
    void make(() => server.updateVoiceSettings({ recognise: wanted }), wanted ? text.voices.recognised : text.voices.notRecognised);
  return (
    <>
      <p>{text.voices.intro}</p>
      <Outcome change={change} />
      <Waiting answer={answer} Problem={SettingsError}>
        {(known) => (
          <>
            <p>
              {known.recognise ? text.voices.recognised : text.voices.notRecognised}{" "}
              {!may("RIGHT_ADMINISTER") ? null : known.recognise ? (
                <ConfirmedButton
                  label={text.voices.turnOff}
                  title={text.voices.turnOffTitle}
                  explanation={text.voices.turnOffText}
                  disabled={change.busy}
                  run={() => recognise(false)}
                />
              ) : (
                <button type="button" disabled={change.busy} onClick={() => recognise(true)}>
                  {text.voices.turnOn}
                </button>
              )}
            </p>
            <Lacking right="RIGHT_ADMINISTER" />
            {known.recognise && known.voices.length === 0 && <p>{text.voices.none}</p>}
            {known.voices.length > 0 && (
              <WideTable label={text.voices.list} columns={[text.voices.name, text.voices.meetings, ""]}>
                {known.voices.map((voice) => (
                  <tr key={voice.id}>
                    <th scope="row">
                      <bdi>{voice.name}</bdi>
                    </th>
                    <td>{voice.meetings}</td>
                    <td class="row-actions">
                      {may("RIGHT_EDIT") && (
                        <ConfirmedButton
                          label={text.voices.erase}
                          name={text.voices.eraseOf(voice.name)}
                          title={text.voices.eraseTitle(voice.name)}
                          explanation={text.voices.eraseText}
                          disabled={change.busy}
                          run={() => void make(() => server.deleteVoice({ id: voice.id }), text.voices.erased(voice.name))}
                        />
                      )}
                    </td>
                  </tr>
                ))}
              </WideTable>
            )}
          </>
        )}
      </Waiting>
    </>
  );
}
