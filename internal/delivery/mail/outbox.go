package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const outboxFrom = "vidimus@localhost"

// outbox is the Sender of the test environment: a folder instead of a network.
type outbox struct {
	dir  string
	from *netmail.Address
}

// Outbox returns a Sender that writes each mail as one .eml file, readable by the owner
// only, into dir/outbox/mail, which it makes. A file appears whole or not at all, and names
// sort by the mails' dates. An empty from is vidimus@localhost.
func Outbox(dir, from string) (Sender, error) {
	if from == "" {
		from = outboxFrom
	}
	sender, err := netmail.ParseAddress(from)
	if err != nil {
		return nil, errors.New("the sender's mail address is malformed")
	}
	folder := outboxFolder(dir)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("making the outbox: %w", err)
	}
	return &outbox{dir: folder, from: sender}, nil
}

func (o *outbox) Send(ctx context.Context, m Message) error {
	if err := ctx.Err(); err != nil {
		return contextError(err)
	}
	if m.Date.IsZero() {
		m.Date = time.Now()
	}
	msg, err := compose(o.from, m)
	if err != nil {
		return err
	}
	// Fixed width, so that text order is time order; the rest keeps equal times apart.
	stamp := strings.Replace(m.Date.UTC().Format("20060102T150405.000000000Z"), ".", "-", 1)
	if m.IdentID != "" {
		stamp += "-" + m.IdentID
	}
	name := filepath.Join(o.dir, stamp+"-"+strings.ToLower(rand.Text()))
	if err := writeFile(msg, name+".tmp", name+".eml"); err != nil {
		var source *sourceError
		if errors.As(err, &source) {
			return unreadable(source)
		}
		return &Error{What: "the outbox cannot be written", cause: err}
	}
	return nil
}

// writeFile makes the file under a name that no reader of .eml files looks at, then renames it.
func writeFile(msg *composed, draft, final string) (err error) {
	f, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(draft)
		}
	}()
	if err = msg.writeTo(f); err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(draft, final)
}

func outboxFolder(dir string) string { return filepath.Join(dir, "outbox", "mail") }

// identMark stands in the names of files that hold a result. Ident-IDs are of A to Z, digits
// and one hyphen.
func identMark(id string) string { return "-" + id + "-" }

// Forget removes from the outbox in dir what holds a result of the identification with that
// Ident-ID. That there is no outbox is no error.
func Forget(dir, id string) error {
	folder := outboxFolder(dir)
	files, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	for _, f := range files {
		if id == "" || !strings.Contains(f.Name(), identMark(id)) {
			continue
		}
		if err := os.Remove(filepath.Join(folder, f.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("emptying the outbox: %w", err)
		}
	}
	return nil
}
