package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestSignatureIsThatOfThePublishedExample(t *testing.T) {
	secret, err := ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := Sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

func TestNewSecretReadsBack(t *testing.T) {
	drawn, err := NewSecret(bytes.NewReader(bytes.Repeat([]byte{0xa5}, 40)))
	if err != nil {
		t.Fatal(err)
	}
	read, err := ParseSecret(drawn.Text())
	if err != nil || !bytes.Equal(read, drawn) || len(read) != 32 {
		t.Errorf("read %d bytes, %v", len(read), err)
	}
	if _, err := NewSecret(iotest.ErrReader(errors.New("dry"))); err == nil {
		t.Error("a secret without randomness")
	}
}

func TestBadSecretsAreRefusedWithoutQuotingThem(t *testing.T) {
	for _, text := range []string{
		"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "whsec_MfKQ9r8GKYqrTwjU\nPD8ILPZIo2LaLaSw",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw ",
		"whsec_" + strings.Repeat("TWZL", 22), "whsec_" + strings.Repeat("A", 10000),
	} {
		s, err := ParseSecret(text)
		if err == nil {
			t.Errorf("ParseSecret(%q) = %d bytes", text, len(s))
			continue
		}
		if strings.Contains(err.Error(), "Mf") {
			t.Errorf("error quotes the secret: %v", err)
		}
	}
}

func TestSecretWithholdsItself(t *testing.T) {
	s := Secret(testSecret)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s)
	for _, text := range []string{fmt.Sprintf("%v %s %x %q %#v", s, s, s, s, s), log.String()} {
		if strings.Contains(text, "0123") || strings.Contains(text, "3031") || !strings.Contains(text, "withheld") {
			t.Error(text)
		}
	}
}

func FuzzParseSecret(f *testing.F) {
	f.Add("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	f.Add("whsec_")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSecret(text)
		if err != nil {
			return
		}
		if len(s) < 24 || len(s) > 64 || s.Text() != text {
			t.Errorf("%q became %d bytes and %q", text, len(s), s.Text())
		}
	})
}
