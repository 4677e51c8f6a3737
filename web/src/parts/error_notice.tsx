/** What went wrong, said at once to readers of the screen, and what can be done. */
export function ErrorNotice({ message, action }: { message: string; action?: { label: string; run: () => void } }) {
  return (
    <div class="notice error" role="alert">
      <p>{message}</p>
      {action && (
        <button type="button" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
}
