import type { ComponentType } from "preact";
import type { Right } from "../server/rights.js";
import { text } from "../strings/settings.js";
import { AccountSection } from "./account.js";
import { text as webhooks } from "../strings/webhooks.js";
import { KeysSection } from "./keys.js";
import { ModelsSection } from "./models.js";
import { PrivacySection } from "./privacy.js";
import { RetentionSection } from "./retention.js";
import { UsageSection } from "./usage.js";
import { UsersSection } from "./users.js";
import { VoicesSection } from "./voices.js";
import { WebhooksSection } from "./webhooks/section.js";

/** A part of the settings, at `/settings/<path>`. */
export interface Section {
  readonly path: string;
  readonly label: string;
  readonly Section: ComponentType;
  /** The right without which it shows nothing. */
  readonly needs: Right;
}

/** All parts; the first is shown where the address names none. One line for each. */
export const SECTIONS: readonly Section[] = [
  { path: "account", label: text.account.title, Section: AccountSection, needs: "RIGHT_ACCOUNT" },
  { path: "users", label: text.users.title, Section: UsersSection, needs: "RIGHT_ADMINISTER" },
  { path: "keys", label: text.keys.title, Section: KeysSection, needs: "RIGHT_ACCOUNT" },
  { path: "webhooks", label: webhooks.title, Section: WebhooksSection, needs: "RIGHT_ADMINISTER" },
  { path: "retention", label: text.retention.title, Section: RetentionSection, needs: "RIGHT_READ" },
  { path: "privacy", label: text.privacy.title, Section: PrivacySection, needs: "RIGHT_READ" },
  { path: "voices", label: text.voices.title, Section: VoicesSection, needs: "RIGHT_READ" },
  { path: "models", label: text.models.title, Section: ModelsSection, needs: "RIGHT_READ" },
  { path: "usage", label: text.usage.title, Section: UsageSection, needs: "RIGHT_ADMINISTER" },
];
