/** Texts of what somebody may do, and may not. */
export const text = {
  roles: { owner: "Owner", member: "Member", reader: "Reader", bot: "Bot" } as Readonly<Record<string, string>>,
  lacking: (role: string, what: string) => `You are signed in as ${role} and may not ${what}. Ask an owner of your organization.`,
  roleNames: { owner: "an owner", member: "a member", reader: "a reader", bot: "a bot" } as Readonly<Record<string, string>>,
  rights: {
    RIGHT_UNSPECIFIED: "do this",
    RIGHT_NO_TOKEN: "do this",
    RIGHT_ACCOUNT: "change your account",
    RIGHT_READ: "read meetings",
    RIGHT_EDIT: "correct or delete meetings",
    RIGHT_UPLOAD: "upload recordings",
    RIGHT_LIVE: "hold live meetings",
    RIGHT_ADMINISTER: "change the settings of the organization",
  },
} as const;
