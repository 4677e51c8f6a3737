import type { SearchResult } from "meetra-client";
import { clock, dateText } from "../parts/time.js";
import { linkTo } from "../route.js";
import { text } from "../strings/search.js";
import { piecesOf } from "./query.js";

/** The sentences that were found: each with where it is from, and why. */
export function ResultList({ results }: { results: readonly SearchResult[] }) {
  return (
    <ol class="search-results" aria-label={text.results}>
      {results.map((result) => (
        <Result key={`${result.file_hash} ${result.start_ms} ${result.speaker_id}`} result={result} />
      ))}
    </ol>
  );
}

function Result({ result }: { result: SearchResult }) {
  const { file_hash, start_ms, similarity, matched_words, speaker, topic, language } = result;
  const at = clock(start_ms);
  const held = dateText(result.date || result.created_at);
  return (
    <li class="card">
      <p class="search-where">
        <a href={linkTo(`/meetings/${file_hash}`, { at: String(start_ms) })}>
          <bdi>{result.meeting || text.unnamed}</bdi>
          {text.at(at)}
        </a>
        <span class="hint">{held}</span>
      </p>
      <p class="search-said">
        <b dir="auto">{speaker || text.unknownSpeaker}</b>{" "}
        <span dir="auto" {...(language && { lang: language })}>
          {piecesOf(result.text, matched_words).map((piece, index) =>
            piece.matched ? <mark key={index}>{piece.text}</mark> : piece.text,
          )}
        </span>
      </p>
      <p class="hint">
        {[
          matched_words.length > 0 && text.byWords(matched_words.join(", ")),
          similarity !== undefined && text.byMeaning(similarity.toFixed(2)),
          topic && text.topic(topic),
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
    </li>
  );
}
