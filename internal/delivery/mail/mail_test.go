package mail

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2018, 11, 15, 12, 0, 0, 0, time.UTC)

func plain() Message {
	return Message{To: "ops@bank.example", Subject: "Result of 1234567890", Text: "Grüße\n.\nend = end\n", ID: "m1", Date: noon}
}

var wantPlain = mailSeen{
	Header: map[string]string{
		"Auto-Submitted":            "auto-generated",
		"Content-Transfer-Encoding": "quoted-printable",
		"Content-Type":              "text/plain; charset=UTF-8",
		"Date":                      "Thu, 15 Nov 2018 12:00:00 +0000",
		"From":                      `"Vidimus" <noreply@vidimus.example>`,
		"Message-Id":                "<m1@vidimus.example>",
		"Mime-Version":              "1.0",
		"Subject":                   "Result of 1234567890",
		"To":                        "<ops@bank.example>",
	},
	Text: "Grüße\r\n.\r\nend = end\r\n",
}

// fileSeen is an attachment as its reader sees it.
type fileSeen struct {
	Name, ContentType string
	Bytes             []byte
}

// attached is an attachment with these bytes.
func attached(f fileSeen) Attachment {
	return Attachment{Name: f.Name, ContentType: f.ContentType, Size: int64(len(f.Bytes)), Write: func(w io.Writer) error {
		_, err := w.Write(f.Bytes)
		return err
	}}
}

// mailSeen is a mail as its reader sees it.
type mailSeen struct {
	Header map[string]string
	Text   string
	Files  []fileSeen
}

func parse(t *testing.T, raw string) mailSeen {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in %q", err, raw)
	}
	seen := mailSeen{Header: map[string]string{}}
	for name, values := range m.Header {
		if seen.Header[name], err = new(mime.WordDecoder).DecodeHeader(strings.Join(values, " AND ")); err != nil {
			t.Fatal(err)
		}
	}
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "multipart/mixed" {
		seen.Text = read(t, quotedprintable.NewReader(m.Body))
		return seen
	}
	parts := multipart.NewReader(m.Body, parameters["boundary"])
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return seen
		}
		if err != nil {
			t.Fatal(err)
		}
		if part.Header.Get("Content-Disposition") == "" {
			seen.Text = read(t, part) // the reader undoes quoted-printable itself
			continue
		}
		seen.Files = append(seen.Files, fileSeen{part.FileName(), part.Header.Get("Content-Type"),
			[]byte(read(t, base64.NewDecoder(base64.StdEncoding, part)))})
	}
}

func read(t *testing.T, r io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sent is what the outbox holds after one mail.
func sent(t *testing.T, m Message) (name, raw string) {
	t.Helper()
	dir := t.TempDir()
	out, err := Outbox(dir, "Vidimus <noreply@vidimus.example>")
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "outbox", "mail"))
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	info, err := entries[0].Info()
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "outbox", "mail", entries[0].Name()))
	if err != nil {
		t.Fatal(err)
	}
	return entries[0].Name(), string(text)
}

func TestOutboxHoldsTheMailAsOneFile(t *testing.T) {
	name, raw := sent(t, plain())
	if diff := cmp.Diff(wantPlain, parse(t, raw)); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(name, "20181115T120000-000000000Z-") || !strings.HasSuffix(name, ".eml") {
		t.Errorf("name %s", name)
	}
}

func TestOutboxNamesSortByDateAndNeverCollide(t *testing.T) {
	dir := t.TempDir()
	out, err := Outbox(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i, later := range []time.Duration{0, 0, time.Nanosecond, time.Second, 11 * time.Hour} {
		m := plain()
		m.Date = noon.Add(later)
		m.ID = string(rune('a' + i))
		want = append(want, m.Date.Format(time.RFC1123Z))
		if err := out.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	names, err := filepath.Glob(filepath.Join(dir, "outbox", "mail", "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	var got []string
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, parse(t, string(raw)).Header["Date"])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOutboxThatCannotBeWrittenIsTemporary(t *testing.T) {
	dir := t.TempDir()
	out, err := Outbox(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "outbox")); err != nil {
		t.Fatal(err)
	}
	err = out.Send(t.Context(), plain())
	if !errors.Is(err, os.ErrNotExist) || Permanent(err) || strings.Contains(err.Error(), dir) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := out.Send(ctx, plain()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestAttachmentsArriveByteForByte(t *testing.T) {
	m := plain()
	files := []fileSeen{
		{"1234567890.zip", "application/zip", []byte("PK\x03\x04\r\n.\r\n\x00\xff")},
		{`Vertrag "Müller".pdf`, "application/pdf", []byte(strings.Repeat("x", 5000))},
		{"leer.txt", `text/plain; charset="utf-8"`, nil},
	}
	for _, f := range files {
		m.Attachments = append(m.Attachments, attached(f))
	}
	_, raw := sent(t, m)
	want := []fileSeen{files[0], files[1], {"leer.txt", "text/plain; charset=utf-8", []byte{}}}
	got := parse(t, raw)
	if diff := cmp.Diff(want, got.Files); diff != "" {
		t.Error(diff)
	}
	if got.Text != wantPlain.Text {
		t.Errorf("text %q", got.Text)
	}
}

func TestLongSubjectStaysOnOneLine(t *testing.T) {
	m := plain()
	m.Subject, _ = Notice(Outdated, NoticeData{TransactionNumber: strings.Repeat("1234567890", 20)})
	if _, raw := sent(t, m); !strings.Contains(raw, "\r\nSubject: "+m.Subject+"\r\n") {
		t.Errorf("in %q", raw)
	}
}

func TestSubjectBeyondASCIIReadsBack(t *testing.T) {
	m := plain()
	m.Subject = "Ergebnis für " + strings.Repeat("Jürgen ", 20)
	m.Subject = strings.TrimSpace(m.Subject)
	if _, raw := sent(t, m); parse(t, raw).Header["Subject"] != m.Subject {
		t.Errorf("in %q", raw)
	}
}

func TestNothingInAMessageAddsAHeader(t *testing.T) {
	out, err := Outbox(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	const evil = "x\r\nBcc: spy@evil.example"
	for name, change := range map[string]func(*Message){
		"to":          func(m *Message) { m.To = "ops@bank.example\r\nBcc: spy@evil.example" },
		"to-two":      func(m *Message) { m.To = "ops@bank.example, spy@evil.example" },
		"to-none":     func(m *Message) { m.To = "" },
		"subject":     func(m *Message) { m.Subject = evil },
		"subject-lf":  func(m *Message) { m.Subject = "x\nBcc: y" },
		"no-subject":  func(m *Message) { m.Subject = "" },
		"not-utf-8":   func(m *Message) { m.Subject = "\xff" },
		"id":          func(m *Message) { m.ID = evil },
		"id-brackets": func(m *Message) { m.ID = "a>b" },
		"id-two-at":   func(m *Message) { m.ID = "a@b@c" },
		"no-id":       func(m *Message) { m.ID = "" },
		"text":        func(m *Message) { m.Text = "\xff" },
		"text-long":   func(m *Message) { m.Text = strings.Repeat("a", maxText+1) },
		"file-name":   func(m *Message) { m.Attachments = []Attachment{attached(fileSeen{evil, "text/plain", nil})} },
		"file-folder": func(m *Message) { m.Attachments = []Attachment{attached(fileSeen{"../a", "text/plain", nil})} },
		"file-dot":    func(m *Message) { m.Attachments = []Attachment{attached(fileSeen{`a\b`, "text/plain", nil})} },
		"file-type":   func(m *Message) { m.Attachments = []Attachment{attached(fileSeen{"a", "text/plain\r\nX: y", nil})} },
		"no-type":     func(m *Message) { m.Attachments = []Attachment{attached(fileSeen{"a", "", nil})} },
		"files":       func(m *Message) { m.Attachments = make([]Attachment, maxFiles+1) },
	} {
		m := plain()
		change(&m)
		err := out.Send(t.Context(), m)
		if err == nil || !Permanent(err) {
			t.Errorf("%s: error %v", name, err)
			continue
		}
		quiet(t, err)
	}
}

func FuzzMessageHoldsOnlyItsOwnHeaders(f *testing.F) {
	from := &netmail.Address{Address: "a@b.example"}
	f.Add("ops@bank.example", "subject", "id", "file.zip", "application/zip")
	f.Add("=?utf-8?q?x?= <ops@bank.example>", "ü\r\nBcc: x", "a@b", "ü.pdf", "text/plain; a=\"\r\n\"")
	f.Fuzz(func(t *testing.T, to, subject, id, name, kind string) {
		msg, err := compose(from, Message{To: to, Subject: subject, ID: id, Date: noon, Attachments: []Attachment{attached(fileSeen{name, kind, nil})}})
		if err != nil {
			return
		}
		var b strings.Builder
		if err := msg.writeTo(&b); err != nil {
			t.Fatal(err)
		}
		if int64(b.Len()) != msg.size {
			t.Errorf("%d bytes, said to be %d", b.Len(), msg.size)
		}
		m, err := netmail.ReadMessage(strings.NewReader(b.String()))
		if err != nil {
			t.Fatalf("%v in %q", err, b.String())
		}
		var names []string
		for name, values := range m.Header {
			names = append(names, name)
			if len(values) != 1 {
				t.Errorf("%d times %s", len(values), name)
			}
		}
		slices.Sort(names)
		want := []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%s in %q", diff, b.String())
		}
	})
}
