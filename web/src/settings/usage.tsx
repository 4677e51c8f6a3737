import type { KeyUsage, MonthUsage, Organization } from "meetra-client";
import { Waiting } from "../parts/waiting.js";
import { server } from "../server/server.js";
import { useAnswer } from "../server/use_answer.js";
import { text } from "../strings/settings.js";
import { SettingsError } from "./settings_error.js";
import { usePages } from "./use_pages.js";
import { WideTable } from "./wide_table.js";

const NUMBER = new Intl.NumberFormat("en");
const MONTH = new Intl.DateTimeFormat("en", { year: "numeric", month: "long", timeZone: "UTC" });
const MINUTES = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** What the organization uses now, and the audio of its months. */
export function UsageSection() {
  const organization = useAnswer(async (signal) => (await server.getOrganization({}, { signal })).organization, []);
  const usage = usePages<KeyUsage>(async (page, signal) => {
    const answer = await server.getUsage(page, { signal });
    return { items: answer.usage, next: answer.next_page_token };
  });
  const months = useAnswer(async (signal) => (await server.getUsage({ page_size: 1 }, { signal })).months, []);
  return (
    <>
      {organization.error !== undefined && <SettingsError error={organization.error} reload={organization.reload} />}
      {organization.value && <Now organization={organization.value} />}
      <Waiting answer={months} Problem={SettingsError}>
        {(found) => (found.length === 0 ? <p>{text.usage.none}</p> : <Months months={found} />)}
      </Waiting>
      {usage.value && usage.value.items.length > 0 && <Keys usage={usage.value.items} />}
      {usage.value?.more && (
        <button type="button" onClick={usage.showMore}>
          {text.more}
        </button>
      )}
      <p class="hint">{text.usage.hint}</p>
    </>
  );
}

function Now({ organization: { use, quotas } }: { organization: Organization }) {
  return (
    <>
      <h3>{text.usage.now}</h3>
      <dl class="use">
        <Amount label={text.usage.minutesToday} used={use.minutes_today} limit={quotas.minutes_per_day} shown={NUMBER.format} />
        <Amount label={text.usage.bytesToday} used={use.upload_bytes_today} limit={quotas.upload_bytes_per_day} shown={sizeText} />
        <Amount label={text.usage.stored} used={use.stored_bytes} limit={quotas.stored_bytes} shown={sizeText} />
      </dl>
    </>
  );
}

function Amount({ label, used, limit, shown }: { label: string; used: number; limit: number | undefined; shown: (amount: number) => string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        {limit === undefined ? text.usage.noLimit(shown(used)) : text.usage.of(shown(used), shown(limit))}
        {limit !== undefined && limit > 0 && <meter max={limit} value={Math.min(used, limit)} high={0.9 * limit} aria-label={label} />}
      </dd>
    </div>
  );
}

function Months({ months }: { months: readonly MonthUsage[] }) {
  const most = Math.max(...months.map((month) => month.audio_minutes));
  return (
    <WideTable captioned label={text.usage.months} columns={[text.usage.month, text.usage.analyses, text.usage.minutes]}>
      {months.map((month) => (
        <tr key={month.month}>
          <th scope="row">{monthText(month.month)}</th>
          <td>{NUMBER.format(month.analyses)}</td>
          <td>
            {MINUTES.format(month.audio_minutes)}
            <svg class="month-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
              <rect width={most > 0 ? (100 * month.audio_minutes) / most : 0} height="6" />
            </svg>
          </td>
        </tr>
      ))}
    </WideTable>
  );
}

function Keys({ usage }: { usage: readonly KeyUsage[] }) {
  return (
    <WideTable captioned label={text.usage.keys} columns={[text.usage.month, text.usage.user, text.usage.key, text.usage.analyses, text.usage.minutes]}>
      {usage.map((one) => (
        <tr key={`${one.month} ${one.user_id} ${one.key_id}`}>
          <td>{monthText(one.month)}</td>
          <td>{one.email || text.usage.gone}</td>
          <td>
            <bdi>{one.key_id === undefined ? text.usage.noKey : one.key_name || text.usage.goneKey}</bdi>
          </td>
          <td>{NUMBER.format(one.analyses)}</td>
          <td>{MINUTES.format(one.audio_minutes)}</td>
        </tr>
      ))}
    </WideTable>
  );
}

/** A month such as `2026-11` for people. */
function monthText(month: string): string {
  const moment = new Date(`${month}-01T00:00:00Z`);
  return Number.isNaN(moment.getTime()) ? month : MONTH.format(moment);
}

/** A number of bytes for people. */
function sizeText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes > 0 ? Math.floor(Math.log10(bytes) / 3) : 0);
  const format = new Intl.NumberFormat("en", { style: "unit", unit: UNITS[power] ?? "byte", maximumFractionDigits: 1 });
  return format.format(bytes / 1000 ** power);
}
