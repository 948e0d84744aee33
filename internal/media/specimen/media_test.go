package specimen

import (
	"bytes"
	"encoding/binary"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWAVIsMonoElevenKilohertz(t *testing.T) {
	b := Audio("wav")
	if len(b) > 130_000 || string(b[:4]) != "RIFF" || string(b[8:16]) != "WAVEfmt " {
		t.Fatalf("%d bytes that begin with %q", len(b), b[:16])
	}
	le := binary.LittleEndian
	got := []uint32{uint32(le.Uint16(b[20:])), uint32(le.Uint16(b[22:])), le.Uint32(b[24:]), uint32(le.Uint16(b[34:]))}
	if d := cmp.Diff([]uint32{1, 1, 11025, 16}, got); d != "" {
		t.Errorf("PCM, channels, rate, bits (-want +got):\n%s", d)
	}
	at := bytes.Index(b, []byte("data"))
	if at < 0 {
		t.Fatal("no data chunk")
	}
	if seconds := le.Uint32(b[at+4:]) / 22050; seconds < 4 || seconds > 6 {
		t.Errorf("%d seconds", seconds)
	}
}

func TestMP3IsMonoTwentyTwoKilohertz(t *testing.T) {
	b := Audio("mp3")
	if len(b) > 30_000 {
		t.Errorf("%d bytes", len(b))
	}
	head := binary.BigEndian.Uint32(b)
	for _, c := range []struct {
		name              string
		shift, mask, want uint32
	}{
		{"sync", 21, 0x7ff, 0x7ff},
		{"MPEG-2", 19, 3, 2},
		{"layer III", 17, 3, 1},
		{"22.05 kHz", 10, 3, 0},
		{"mono", 6, 3, 3},
	} {
		if got := head >> c.shift & c.mask; got != c.want {
			t.Errorf("%s: %b, want %b", c.name, got, c.want)
		}
	}
}

func TestMP4HasBothTracksAndItsIndexInFront(t *testing.T) {
	b := Video()
	if len(b) > 250_000 {
		t.Errorf("%d bytes", len(b))
	}
	at := map[string]int{}
	for pos := 0; pos+8 <= len(b); {
		at[string(b[pos+4:pos+8])] = pos
		size := int(binary.BigEndian.Uint32(b[pos:]))
		if size < 8 {
			t.Fatalf("a box of %d bytes at %d", size, pos)
		}
		pos += size
	}
	moov, mdat := at["moov"], at["mdat"]
	if moov == 0 || mdat == 0 || moov > mdat {
		t.Fatalf("boxes at %v", at)
	}
	for _, track := range []string{"avc1", "avcC", "mp4a"} {
		if !bytes.Contains(b[moov:mdat], []byte(track)) {
			t.Errorf("no %s in the index", track)
		}
	}
}

func TestCallersCannotSpoilTheFiles(t *testing.T) {
	for name, of := range map[string]func() []byte{
		"mp3": func() []byte { return Audio("mp3") }, "wav": func() []byte { return Audio("wav") }, "mp4": Video,
	} {
		first := of()
		first[1] ^= 0xff
		if first[1] == of()[1] {
			t.Errorf("%s is shared", name)
		}
	}
}

// An independent reader agrees, where one is installed.
func TestProbeReadsTheFiles(t *testing.T) {
	probe, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Skip("ffprobe is not installed")
	}
	for file, want := range map[string][]string{
		"asset/talk.mp3": {"mp3", "22050", "1"},
		"asset/talk.wav": {"pcm_s16le", "11025", "1"},
		"asset/call.mp4": {"h264", "Main", "640", "360", "yuv420p", "aac", "LC", "22050", "1"},
	} {
		out, err := exec.Command(probe, "-v", "error", "-of", "csv=p=0", "-show_entries",
			"stream=codec_name,profile,width,height,pix_fmt,sample_rate,channels", file).Output()
		if err != nil {
			t.Fatal(err)
		}
		got := strings.FieldsFunc(string(out), func(r rune) bool { return r == ',' || r == '\n' })
		got = strings.Split(strings.ReplaceAll(strings.Join(got, ","), "unknown,", ""), ",")
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", file, d)
		}
	}
}
