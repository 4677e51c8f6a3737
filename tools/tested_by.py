"""Modules without tests of their own, and the tests below ``tests`` that run them."""

TESTED_BY = {
    # What is printed, and what is asked of a whole system.
    "cli/analyze.py": "e2e/test_command_line.py",
    "cli/answers.py": "e2e/test_command_line.py",
    "cli/report_text.py": "cli/test_report.py",
    "cli/purge.py": "e2e/test_privacy.py",
    "cli/with_parent.py": "cli/test_supervisor.py",
    "server/__main__.py": "e2e/test_survival.py",
    "inference/__main__.py": "e2e/test_command_line.py",
    "server/analysis/meeting_analyzer.py": "e2e/test_uploads.py",
    "server/meetings/worker.py": "e2e/test_survival.py",
    # Servicers and their messages, from a conversation to the answer.
    "server/api/insights.py": "server/api/test_insight_messages.py",
    "server/api/report_message.py": "server/api/test_insight_messages.py",
    # Types of errors, all of which one file walks through.
    "server/errors/calls.py": "server/errors/test_errors.py",
    "server/errors/live.py": "server/errors/test_errors.py",
    "server/errors/meetings.py": "server/errors/test_errors.py",
    "clients/python/meetra_client/errors.py": "clients/python/test_refusals.py",
    "clients/python/meetra_client/client.py": "clients/python/test_live_meeting.py",
    # The two sides of a child process.
    "server/audio/opus_decoder.py": "server/audio/test_track_decoder.py",
    "server/children/decode_media.py": "server/audio/test_media_decoder.py",
    "server/children/decode_opus.py": "server/audio/test_track_decoder.py",
    "server/landlock.py": "server/test_sandbox_walls.py",
    "server/system_calls.py": "server/test_sandbox_walls.py",
    "server/media/opened_file.py": "server/audio/test_media_decoder.py",
    "server/media/track_transcoder.py": "server/media/test_transcode_tracks.py",
    # Parts of a live meeting that do nothing by themselves.
    "server/live/outcome.py": "e2e/test_live.py",
    "server/live/recording.py": "server/live/test_session_separate_channels.py",
    # Messages between server and inference, over real gRPC.
    "inference/api/messages.py": "inference/session/test_session.py",
    "inference/api/service.py": "inference/session/test_session.py",
    "inference/api/tasks.py": "server/engine/test_inference_client_events.py",
    "inference/config.py": "inference/selection/test_model_selection.py",
    "inference/selection/model_loading.py": "inference/selection/test_model_selection.py",
    "server/engine/transport.py": "inference/api/test_transport.py",
    # Stages of a session, on the models whose output they place.
    "inference/acoustics/recording.py": "inference/session/test_session.py",
    "inference/speakers/overlapping_voices.py": "inference/speakers/test_voice_windows.py",
    "inference/speakers/clustered_speakers.py": "inference/speakers/test_turn_tracker.py",
    "inference/stages/events.py": "inference/words/test_window_recognition.py",
    "inference/stages/word_stage.py": "inference/words/test_window_recognition.py",
    "inference/words/stage_selection.py": "inference/words/test_window_recognition.py",
    "inference/diarization/segmented_windows.py": "inference/diarization/test_overlapped_speech.py",
    "inference/diarization/resegmentation.py": "inference/speakers/test_word_attribution.py",
    # Checks in types that every model passes through.
    "inference/models/protocols.py": "inference/selection/test_model_probes.py",
    "inference/models/recognition.py": "inference/words/test_window_recognition.py",
    # The catalogue as a user sees it, and its hub.
    "inference/catalogue/hub.py": "inference/catalogue/test_pull.py",
    "inference/catalogue/rendering.py": "inference/catalogue/test_main.py",
    # Graphs and files, through the models that are made of them.
    "inference/onnx/runtime/graph_builder.py": "inference/onnx/speakers/test_campplus_graph.py",
    "inference/onnx/runtime/graph_bytes.py": "inference/onnx/speakers/test_campplus_graph.py",
    "inference/onnx/speakers/sortformer_cache.py": "inference/onnx/speakers/test_sortformer_nemo.py",
    "inference/onnx/speakers/sortformer_description.py": "inference/onnx/speakers/test_sortformer.py",
    "inference/onnx/speech/dnsmos.py": "inference/onnx/speech/test_silero_vad.py",
    "inference/onnx/speech/recogniser_loading.py": "inference/onnx/speech/test_recogniser.py",
    "inference/onnx/text/minilm_encoder.py": "inference/onnx/text/test_sentence_encoder.py",
    "inference/onnx/text/text_files.py": "inference/onnx/text/test_text_classifier.py",
    "inference/onnx/text/text_graph.py": "inference/onnx/text/test_text_classifier.py",
    "inference/text/emotions.py": "inference/api/test_language.py",
    "inference/text/sentiment.py": "inference/api/test_language.py",
    # Parts of NeMo's backends, against NeMo itself.
    "inference/nemo/cache_aware.py": "inference/nemo/test_streaming_recogniser.py",
    "inference/nemo/configuration.py": "inference/nemo/test_checkpoint.py",
    "inference/nemo/diarizer_loading.py": "inference/nemo/test_sortformer.py",
    "inference/nemo/export_recogniser.py": "inference/nemo/test_export.py",
    "inference/nemo/export_sortformer.py": "inference/nemo/test_export.py",
    "inference/nemo/export_speaker_encoder.py": "inference/nemo/test_export.py",
    "inference/nemo/front_end.py": "inference/nemo/test_traceable_mel.py",
    "inference/nemo/onnx_export.py": "inference/nemo/test_export.py",
    "inference/nemo/runtime.py": "inference/selection/test_model_selection_nemo.py",
    "inference/nemo/sortformer_state.py": "inference/nemo/test_sortformer.py",
    "inference/nemo/token_words.py": "inference/nemo/test_recogniser.py",
    # Tools whose output every test of the API reads; `make lint` runs the check on this repository.
    "tools/check_breaking.py": "tools",
    "tools/generate.py": "e2e/test_openapi.py",
    "tools/openapi.py": "e2e/test_openapi.py",
}
