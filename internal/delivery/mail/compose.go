package mail

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"path"
	"strings"
	"time"
	"unicode/utf8"
)

// composed is a mail of which all is written but its files: they pass through at each try,
// a block at a time.
type composed struct {
	from, to string // as SMTP names them, in angle brackets
	header   []byte
	body     []piece
	size     int64
}

// piece is a stretch of a body: text as it is, or a file in base64.
type piece struct {
	text []byte
	file *Attachment
}

// sourceError is a failure of what a mail is made of, not of where it goes.
type sourceError struct{ cause error }

func (e *sourceError) Error() string { return "reading what is sent: " + e.cause.Error() }
func (e *sourceError) Unwrap() error { return e.cause }

var errLength = errors.New("it is not as long as was said")

// source marks the failures of a reader.
type source struct{ r io.Reader }

func (s source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &sourceError{err}
	}
	return n, err
}

// compose builds the mail. Everything that ends up in a header is checked first, so nothing
// in a Message can add a header or a recipient.
func compose(from *netmail.Address, m Message) (*composed, error) {
	to, err := netmail.ParseAddress(m.To)
	if err != nil {
		return nil, malformed("the recipient's address is malformed")
	}
	id, err := messageID(from, m.ID)
	if err != nil {
		return nil, err
	}
	if m.Subject == "" || len(m.Subject) > maxSubject || !oneLine(m.Subject) {
		return nil, malformed("the subject is not one line of 1 to 500 bytes")
	}
	if len(m.Text) > maxText || !utf8.ValidString(m.Text) || len(m.HTML) > maxText || !utf8.ValidString(m.HTML) {
		return nil, malformed("the text is not UTF-8 or too long")
	}
	kind, body, err := entity(m)
	if err == nil && m.EncryptTo != nil {
		kind, body, err = encrypted(m, kind, body)
	}
	if err != nil {
		return nil, err
	}
	if m.Date.IsZero() {
		m.Date = time.Now()
	}
	c := &composed{from: bare(from), to: bare(to), body: body}
	var h bytes.Buffer
	for _, field := range [][2]string{
		{"From", from.String()}, {"To", to.String()}, {"Subject", subject(m.Subject)}, {"Date", m.Date.Format(time.RFC1123Z)},
		{"Message-ID", "<" + id + ">"},
		{"Auto-Submitted", "auto-generated"}, // so that no holiday notice answers (RFC 3834)
		{"MIME-Version", "1.0"},
	} {
		h.WriteString(field[0] + ": " + field[1] + "\r\n")
	}
	h.WriteString(kind + "\r\n")
	c.header = h.Bytes()
	c.size = int64(len(c.header)) + length(body)
	return c, nil
}

// bare is an address without its name, quoted where it must be.
func bare(a *netmail.Address) string { return (&netmail.Address{Address: a.Address}).String() }

// subject leaves ASCII unfolded: receivers sort by these subjects, and some programs do not
// unfold.
func subject(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.ReplaceAll(mime.QEncoding.Encode("UTF-8", s), "?= =?", "?=\r\n =?")
}

// entity is the mail without its own headers: the lines about its content, and the content.
func entity(m Message) (kind string, body []piece, err error) {
	files, err := attachments(m.Attachments)
	if err != nil {
		return "", nil, err
	}
	plain := text("text/plain", m.Text)
	multipart := "mixed"
	switch {
	case m.HTML != "":
		multipart = "alternative"
		files = append([][]piece{text("text/html", m.HTML)}, files...)
	case len(files) == 0 && m.EncryptTo == nil:
		whole := string(plain[0].text)
		at := strings.Index(whole, "\r\n\r\n") + 2
		return whole[:at], []piece{{text: []byte(whole[at+2:])}}, nil
	}
	boundary := rand.Text()
	for _, part := range append([][]piece{plain}, files...) {
		body = append(body, piece{text: []byte("--" + boundary + "\r\n")})
		body = append(append(body, part...), piece{text: []byte("\r\n")})
	}
	body = append(body, piece{text: []byte("--" + boundary + "--\r\n")})
	return "Content-Type: multipart/" + multipart + ";\r\n boundary=\"" + boundary + "\"\r\n", body, nil
}

// text is a part with text.
func text(kind, s string) []piece {
	var b bytes.Buffer
	b.WriteString("Content-Type: " + kind + "; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = io.WriteString(w, s) // a buffer takes everything
	_ = w.Close()
	return []piece{{text: b.Bytes()}}
}

// attachments are parts with files.
func attachments(files []Attachment) (parts [][]piece, err error) {
	var total int64
	for _, a := range files {
		total += a.Size
	}
	if len(files) > maxFiles || total > maxAttachments {
		return nil, malformed("the attachments are too many or too long")
	}
	for _, a := range files {
		kind, parameters, err := mime.ParseMediaType(a.ContentType)
		if err != nil || !strings.Contains(kind, "/") {
			return nil, malformed("an attachment's content type is malformed")
		}
		if a.Name == "" || len(a.Name) > maxName || !oneLine(a.Name) || path.Base(a.Name) != a.Name || strings.Contains(a.Name, `\`) {
			return nil, malformed("an attachment's name is malformed")
		}
		contentType := mime.FormatMediaType(kind, parameters)
		disposition := mime.FormatMediaType("attachment", map[string]string{"filename": a.Name})
		if contentType == "" || disposition == "" || a.Size < 0 {
			return nil, malformed("an attachment's name or content type is malformed")
		}
		head := "Content-Type: " + contentType + "\r\nContent-Disposition: " + disposition + "\r\nContent-Transfer-Encoding: base64\r\n\r\n"
		parts = append(parts, []piece{{text: []byte(head)}, {file: &a}})
	}
	return parts, nil
}

// encrypted puts the whole content into an envelope (RFC 8551, 3.3).
func encrypted(m Message, kind string, body []piece) (string, []piece, error) {
	inner := append([]piece{{text: []byte(kind + "\r\n")}}, body...)
	e, err := seal(m.EncryptTo, length(inner))
	if err != nil {
		return "", nil, malformed("the mail cannot be encrypted to its certificate")
	}
	file := &Attachment{Size: e.size(), Write: func(w io.Writer) error {
		return e.write(w, func(w io.Writer) error { return write(w, inner) })
	}}
	return "Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n name=\"smime.p7m\"\r\n" +
		"Content-Disposition: attachment; filename=\"smime.p7m\"\r\nContent-Transfer-Encoding: base64\r\n", []piece{{file: file}}, nil
}

// base64Line is how many characters of base64 stand in a line (RFC 2045, 6.8).
const base64Line = 76

// length is how many bytes write will write.
func length(body []piece) (n int64) {
	for _, p := range body {
		n += int64(len(p.text))
		if p.file != nil {
			encoded := (p.file.Size + 2) / 3 * 4
			n += encoded + (encoded+base64Line-1)/base64Line*2
		}
	}
	return n
}

// writeTo writes the mail.
func (c *composed) writeTo(w io.Writer) error {
	if _, err := w.Write(c.header); err != nil {
		return err
	}
	return write(w, c.body)
}

func write(w io.Writer, body []piece) error {
	for _, p := range body {
		if _, err := w.Write(p.text); err != nil {
			return err
		}
		if p.file == nil {
			continue
		}
		if err := encode(w, p.file); err != nil {
			return err
		}
	}
	return nil
}

// encode writes a file in base64.
func encode(w io.Writer, a *Attachment) error {
	lines := &lineWriter{w: w}
	encoder := base64.NewEncoder(base64.StdEncoding, lines)
	count := &counter{w: encoder}
	if err := a.Write(count); err != nil {
		return err
	}
	if err := encoder.Close(); err != nil {
		return err
	}
	if count.n != a.Size {
		return &sourceError{fmt.Errorf("a file: %w", errLength)}
	}
	return lines.end()
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// lineWriter breaks what passes into lines of base64.
type lineWriter struct {
	w  io.Writer
	at int // characters in this line
}

func (l *lineWriter) Write(p []byte) (int, error) {
	var out []byte
	for rest := p; len(rest) > 0; {
		n := min(len(rest), base64Line-l.at)
		out = append(out, rest[:n]...)
		rest = rest[n:]
		if l.at += n; l.at == base64Line {
			out, l.at = append(out, "\r\n"...), 0
		}
	}
	if _, err := l.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (l *lineWriter) end() error {
	if l.at == 0 {
		return nil
	}
	_, err := io.WriteString(l.w, "\r\n")
	return err
}
