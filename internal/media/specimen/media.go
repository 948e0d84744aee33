package specimen

import (
	_ "embed" // the files made by make.sh
	"slices"
)

//go:generate sh make.sh

var (
	//go:embed asset/talk.mp3
	talkMP3 []byte
	//go:embed asset/talk.wav
	talkWAV []byte
	//go:embed asset/call.mp4
	callMP4 []byte
)

// Audio returns a spoken sound track of some seconds: for "wav" 11.025 kHz, 16 bit, mono
// PCM; for everything else an MP3, 22.05 kHz mono at about 36 kbit/s. The bytes are the
// caller's own.
func Audio(format string) []byte {
	if format == "wav" {
		return slices.Clone(talkWAV)
	}
	return slices.Clone(talkMP3)
}

// Video returns a film of a call, some seconds long: MP4 with H.264 and AAC, its index in
// front so that a browser plays it while it loads. The bytes are the caller's own.
func Video() []byte { return slices.Clone(callMP4) }
