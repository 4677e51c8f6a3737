"""The formats and codecs that FFmpeg may parse here: recordings of speech, as devices and programs write them.

FFmpeg knows some 370 formats and 540 decoders. Some open other files or addresses; most belong to games, discs and
pictures, and few people look at their code. What is not listed is refused before a byte of it is parsed further than
its kind. Of pictures, only the first of H.264 are decoded.
"""

from __future__ import annotations

FORMATS = frozenset(
    (
        "aac ac3 aiff amr amrnb amrwb ape asf au avi caf dss dts dtshd eac3 flac flv gsm ilbc live_flv loas"
        " matroska mlp mov mp3 mpc mpc8 mpeg mpegts mxf nistsphere nut ogg qcp swf tak truehd tta voc w64 wav"
        " wv xwma"
    ).split()
)
CODECS = frozenset(
    (
        # Of telephones, recorders and meetings.
        "adpcm_ima_qt adpcm_ima_wav adpcm_ms adpcm_swf adpcm_yamaha amrnb amrwb dss_sp evrc g722 g723_1 g726"
        " g726le g729 gsm gsm_ms ilbc libopencore_amrnb libopencore_amrwb libopus nellymoser opus qcelp speex"
        " truespeech"
        # Of music and video.
        " aac aac_latm ac3 als dca eac3 mp1 mp1float mp2 mp2float mp3 mp3float mp3adu mp3adufloat mp3on4"
        " mp3on4float mpc7 mpc8 vorbis wmav1 wmav2 wmapro wmavoice"
        # Without loss.
        " alac ape flac mlp tak truehd tta wavpack wmalossless"
        # Samples.
        " dvaudio pcm_alaw pcm_bluray pcm_dvd pcm_f16le pcm_f24le pcm_f32be pcm_f32le pcm_f64be pcm_f64le"
        " pcm_mulaw pcm_s16be pcm_s16be_planar pcm_s16le pcm_s16le_planar pcm_s24be pcm_s24le pcm_s24le_planar"
        " pcm_s32be pcm_s32le pcm_s32le_planar pcm_s64be pcm_s64le pcm_s8 pcm_s8_planar pcm_u16be pcm_u16le"
        " pcm_u24be pcm_u24le pcm_u32be pcm_u32le pcm_u8 s302m"
    ).split()
)
# Opened while a file is, never decoded by us: FFmpeg does not know the times of these pictures, and so where some files
# start, before it has decoded a few and seen in which order they are shown.
PICTURES_OF_UNKNOWN_ORDER = frozenset({"h264"})
# How FFmpeg is told (its options for all formats). References to other files are off.
OPTIONS = {
    "format_whitelist": ",".join(sorted(FORMATS)),
    "codec_whitelist": ",".join(sorted(CODECS | PICTURES_OF_UNKNOWN_ORDER)),
    "enable_drefs": "0",
}
