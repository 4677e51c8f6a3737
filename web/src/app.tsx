import { useEffect, useRef, useState } from "preact/hooks";
import type { ComponentType } from "preact";
import { ErrorNotice } from "./parts/error_notice.js";
import { FaultBoundary } from "./parts/fault_boundary.js";
import { Lacking } from "./parts/lacking.js";
import { usePageTitle } from "./parts/page_title.js";
import { matched, usePlace } from "./route.js";
import { ROUTES } from "./routes.js";
import type { PageProps, Route } from "./routes.js";
import { useRights } from "./server/rights.js";
import { session, useSession } from "./server/session.js";
import { SignIn } from "./signin/sign_in.js";
import { SignInAgain } from "./signin/sign_in_again.js";
import { text } from "./strings/shared.js";
import { ThemeChoice } from "./theme_choice.js";

/** The whole page: signing in, or its frame with what the address names. */
export function App() {
  const { signedIn, asking } = useSession();
  if (!signedIn) return <SignIn />;
  return (
    <>
      <Frame />
      {asking && <SignInAgain />}
    </>
  );
}

function Frame() {
  const place = usePlace();
  const found = ROUTES.map((route) => ({ route, parameters: matched(route.pattern, place.path) })).find(
    ({ parameters }) => parameters,
  );
  const { may } = useRights();
  const main = useRef<HTMLElement>(null);
  const path = useRef(place.path);
  usePageTitle(found?.route.label);
  useEffect(() => {
    // Readers of the screen are told of another page as they are of a new document.
    if (path.current !== place.path) main.current?.focus();
    path.current = place.path;
  }, [place.path]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        {text.nav.skip}
      </a>
      <header class="frame">
        <a class="brand" href="#/">
          {text.product}
        </a>
        <nav aria-label={text.nav.main}>
          {ROUTES.filter(({ label, needs }) => label && (!needs || may(needs))).map(({ pattern, label }) => (
            <a
              key={pattern}
              href={`#${pattern.replace("/*", "")}`}
              aria-current={found?.route.pattern === pattern ? "page" : undefined}
            >
              {label}
            </a>
          ))}
        </nav>
        <div class="frame-end">
          <ThemeChoice />
          <button type="button" class="quiet" onClick={() => void session.signOut()}>
            {text.nav.signOut}
          </button>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {found?.route.needs && !may(found.route.needs) ? (
          <Lacking right={found.route.needs} />
        ) : found ? (
          <Shown key={found.route.pattern} route={found.route} parameters={found.parameters ?? {}} query={place.query} />
        ) : (
          <p>{text.noSuchPage}</p>
        )}
      </main>
    </>
  );
}

function Shown({ route, ...given }: PageProps & { route: Route }) {
  const [Page, setPage] = useState<ComponentType<PageProps>>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    route.load().then(
      (page) => setPage(() => page),
      () => setFailed(true),
    );
  }, [route]);
  if (failed) return <ErrorNotice message={text.pageIsOld} action={{ label: text.reload, run: () => location.reload() }} />;
  if (!Page) return <p role="status">{text.loading}</p>;
  return (
    <FaultBoundary>
      <Page {...given} />
    </FaultBoundary>
  );
}
