import type { ComponentType } from "preact";
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
}

/** All parts; the first is shown where the address names none. One line for each. */
export const SECTIONS: readonly Section[] = [
  { path: "account", label: text.account.title, Section: AccountSection },
  { path: "users", label: text.users.title, Section: UsersSection },
  { path: "keys", label: text.keys.title, Section: KeysSection },
  { path: "webhooks", label: webhooks.title, Section: WebhooksSection },
  { path: "retention", label: text.retention.title, Section: RetentionSection },
  { path: "privacy", label: text.privacy.title, Section: PrivacySection },
  { path: "voices", label: text.voices.title, Section: VoicesSection },
  { path: "models", label: text.models.title, Section: ModelsSection },
  { path: "usage", label: text.usage.title, Section: UsageSection },
];
