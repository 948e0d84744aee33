package publish_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"strings"
	"testing"
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/service/account"
	"vidimus/internal/service/publish"
)

// sealing is a master key of which links need Seal and Open only.
type sealing struct{ cipher.AEAD }

func newSealing(f *testing.F) sealing {
	block, err := aes.NewCipher([]byte("sixteen bytes of"))
	if err != nil {
		f.Fatal(err)
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		f.Fatal(err)
	}
	return sealing{gcm}
}

func (s sealing) Seal(purpose string, plain, aad []byte) []byte {
	return s.AEAD.Seal(nil, nil, plain, append([]byte(purpose+"\x00"), aad...))
}

func (s sealing) Open(purpose string, sealed, aad []byte) ([]byte, error) {
	return s.AEAD.Open(nil, nil, sealed, append([]byte(purpose+"\x00"), aad...))
}

func (sealing) Hash(string, []byte) []byte { panic("nothing is hashed here") }

// FuzzTokenOfALink looks for a token that opens something, or breaks the look-up, without an
// identification behind it. It stands here, and not with the tests of the joined services, so
// that fuzzing need not compile the database.
func FuzzTokenOfALink(f *testing.F) {
	for _, s := range []string{"", "A", "____", strings.Repeat("A", 300), "AQ==", "AQ\n", "\x00", "../..", "%41"} {
		f.Add("ihrebank", s)
	}
	master, c := newSealing(f), clock.New(time.Now, 1)
	s := publish.New(publish.Options{Accounts: account.New(nil, master, c, nil, nil), Master: master, Clock: c})
	real, ok := strings.CutPrefix(s.Link(ident.Identification{ID: "IBA-22222", Company: "ihrebank", KeyID: "key"}), "/ihrebank/download/")
	if !ok || real == "" {
		f.Fatal("no link was made")
	}
	f.Add("ihrebank", real)
	f.Fuzz(func(t *testing.T, c, token string) {
		if _, _, err := s.ByLink(context.Background(), company.ID(c), token); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q of %q: %v", token, c, err)
		}
	})
}
