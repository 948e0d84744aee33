// Package mail hands mails over: to an SMTP server, or in the test environment to a folder.
// It decides how a mail looks on the wire and whether a failure is worth another try, and it
// composes the mails with results and the notices about what does not get through. Which mail goes to whom, and when again,
// is decided by service/publish. Specification, chapters 10 and 14.6.
package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxSubject     = 500     // bytes
	maxText        = 1 << 20 // bytes
	maxAttachments = 2 << 30 // bytes of all attachments together, before base64
	maxFiles       = 50
	maxName        = 255 // bytes of a file name
	maxID          = 200
)

// Message is one mail to one address.
type Message struct {
	To          string    // an address as RFC 5322 writes it, with or without a name
	Subject     string    // one line of at most 500 bytes, UTF-8; written letter for letter
	Text        string    // plain text, UTF-8, lines end in \n, at most 1 MiB
	HTML        string    // the same for programs that show HTML; empty: plain text alone
	ID          string    // for Message-ID, the same for all tries; without @ the sender's domain is added
	Date        time.Time // zero: now
	IdentID     string    // whose result it holds, for Forget; empty: nobody's
	Attachments []Attachment
	EncryptTo   *x509.Certificate // text and attachments go into an S/MIME envelope; nil: they do not
}

// Attachment is one file of a mail; all of a mail have at most 2 GiB.
type Attachment struct {
	Name        string // without folders
	ContentType string // such as application/zip
	Size        int64
	Write       func(w io.Writer) error // writes exactly Size bytes, and may be called again
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
	uncertain bool
	cause     error // of the context, of the operating system, or of what was to be sent
}

func (e *Error) Error() string {
	if e.Code != 0 {
		return fmt.Sprintf("sending a mail: %s (%d)", e.What, e.Code)
	}
	return "sending a mail: " + e.What
}

// Unwrap gives errors.Is the context's error, when the context ended the try, or that of an
// attachment's Write.
func (e *Error) Unwrap() error { return e.cause }

// Permanent says whether err means that this mail will never be taken: the server refused
// sender, recipient or content with a 5xx, or the mail itself is malformed. What the
// operator can mend (no TLS, wrong password, no such server) is not permanent.
func Permanent(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.permanent
}

// Uncertain says whether the mail may have been taken although err says that it was not:
// all of it was sent, and no answer came. Trying again may send it twice.
func Uncertain(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.uncertain
}

func malformed(what string) *Error { return &Error{What: what, permanent: true} }

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
