// Package mail hands mails over: to an SMTP server, or in the test environment to a folder.
// It decides how a mail looks on the wire and whether a failure is worth another try, and it
// composes the three mails about failing webhooks. Which mail goes to whom, and when again,
// is decided by service/publish. Specification, chapters 10 and 14.6.
package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	netmail "net/mail"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
)

const (
	maxSubject     = 500       // bytes
	maxText        = 1 << 20   // bytes
	maxAttachments = 100 << 20 // bytes of all attachments together, before base64
	maxFiles       = 50
	maxName        = 255 // bytes of a file name
	maxID          = 200
)

// Message is one mail to one address.
type Message struct {
	To          string    // an address as RFC 5322 writes it, with or without a name
	Subject     string    // one line of at most 500 bytes, UTF-8; written letter for letter
	Text        string    // plain text, UTF-8, lines end in \n, at most 1 MiB
	ID          string    // for Message-ID, the same for all tries; without @ the sender's domain is added
	Date        time.Time // zero: now
	Attachments []Attachment
}

// Attachment is one file of a mail; all of a mail have at most 100 MiB.
type Attachment struct {
	Name        string // without folders
	ContentType string // such as application/zip
	Bytes       []byte
}

// Sender hands over one mail. An error is an *Error and holds neither addresses nor text of
// the mail or the server. Use Permanent to see whether another try makes sense.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Error is why a mail was not handed over.
type Error struct {
	What      string // in words, such as "recipient refused"
	Code      int    // the SMTP reply code; 0: none
	permanent bool
	cause     error // only the context's error or one of the operating system
}

func (e *Error) Error() string {
	if e.Code != 0 {
		return fmt.Sprintf("sending a mail: %s (%d)", e.What, e.Code)
	}
	return "sending a mail: " + e.What
}

// Unwrap gives errors.Is the context's error, when the context ended the try.
func (e *Error) Unwrap() error { return e.cause }

// Permanent says whether err means that this mail will never be taken: the server refused
// sender, recipient or content with a 5xx, or the mail itself is malformed. What the
// operator can mend (no TLS, wrong password, no such server) is not permanent.
func Permanent(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.permanent
}

func malformed(what string) *Error { return &Error{What: what, permanent: true} }

// compose builds the mail. Everything that ends up in a header is checked first, so nothing
// in a Message can add a header or a recipient.
func compose(from *netmail.Address, m Message) (*gomail.Msg, error) {
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
	if len(m.Text) > maxText || !utf8.ValidString(m.Text) {
		return nil, malformed("the text is not UTF-8 or too long")
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.SetAddrHeaderFromMailAddress(gomail.HeaderFrom, from)
	msg.SetAddrHeaderFromMailAddress(gomail.HeaderTo, to)
	if isASCII(m.Subject) {
		// Unfolded: receivers sort by these subjects, and some programs do not unfold.
		msg.SetGenHeaderPreformatted(gomail.HeaderSubject, m.Subject)
	} else {
		msg.Subject(m.Subject)
	}
	msg.SetMessageIDWithValue(id)
	if m.Date.IsZero() {
		m.Date = time.Now()
	}
	msg.SetDateWithValue(m.Date)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // so that no holiday notice answers (RFC 3834)
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	return msg, attach(msg, m.Attachments)
}

func attach(msg *gomail.Msg, files []Attachment) error {
	total := 0
	for _, a := range files {
		total += len(a.Bytes)
	}
	if len(files) > maxFiles || total > maxAttachments {
		return malformed("the attachments are too many or too long")
	}
	for _, a := range files {
		kind, parameters, err := mime.ParseMediaType(a.ContentType)
		if err != nil || !strings.Contains(kind, "/") {
			return malformed("an attachment's content type is malformed")
		}
		if a.Name == "" || len(a.Name) > maxName || !oneLine(a.Name) || path.Base(a.Name) != a.Name || strings.Contains(a.Name, `\`) {
			return malformed("an attachment's name is malformed")
		}
		contentType := mime.FormatMediaType(kind, parameters)
		disposition := mime.FormatMediaType("attachment", map[string]string{"filename": a.Name})
		if contentType == "" || disposition == "" {
			return malformed("an attachment's name or content type is malformed")
		}
		msg.AttachReadSeeker(a.Name, bytes.NewReader(a.Bytes), func(f *gomail.File) {
			f.Header.Set("Content-Type", contentType)
			f.Header.Set("Content-Disposition", disposition)
		})
	}
	return nil
}

// messageID checks the id and completes it with the domain of the sender.
func messageID(from *netmail.Address, id string) (string, error) {
	left, right, found := strings.Cut(id, "@")
	if !found {
		right = from.Address[strings.LastIndexByte(from.Address, '@')+1:]
	}
	if left == "" || right == "" || len(id) > maxID || strings.ContainsFunc(left+right, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`<>()[]",:;\@`, r)
	}) {
		return "", malformed("the message id is malformed")
	}
	return left + "@" + right, nil
}

func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

// contextError tells a try that took too long from one that was called off.
func contextError(cause error) *Error {
	if errors.Is(cause, context.Canceled) {
		return &Error{What: "canceled", cause: context.Canceled}
	}
	return &Error{What: "timeout", cause: context.DeadlineExceeded}
}
