package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

const (
	secretPrefix = "whsec_"
	secretSize   = 32 // bytes of a new one
	secretMin    = 24 // bytes, as the convention bounds them
	secretMax    = 64
)

// Secret is the key that an endpoint and we share: 24 to 64 bytes. Printed or logged it
// withholds itself; Text writes it out.
type Secret []byte

// NewSecret draws a secret of 32 bytes from random.
func NewSecret(random io.Reader) (Secret, error) {
	s := make(Secret, secretSize)
	if _, err := io.ReadFull(random, s); err != nil {
		return nil, fmt.Errorf("drawing a webhook secret: %w", err)
	}
	return s, nil
}

// ParseSecret reads the form "whsec_" and standard base64 with padding. Its errors do not
// quote the text.
func ParseSecret(text string) (Secret, error) {
	encoded, found := strings.CutPrefix(text, secretPrefix)
	if !found {
		return nil, errors.New("a webhook secret starts with whsec_")
	}
	if len(encoded) > base64.StdEncoding.EncodedLen(secretMax) {
		return nil, errors.New("a webhook secret has 24 to 64 bytes")
	}
	// The decoder would skip line breaks; a secret holds none.
	if strings.ContainsAny(encoded, "\r\n") {
		return nil, errors.New("a webhook secret is base64 after whsec_")
	}
	s, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, errors.New("a webhook secret is base64 after whsec_")
	}
	if len(s) < secretMin || len(s) > secretMax {
		return nil, errors.New("a webhook secret has 24 to 64 bytes")
	}
	return s, nil
}

// Text is the form that ParseSecret reads. It is for showing the secret once to its owner.
func (s Secret) Text() string { return secretPrefix + base64.StdEncoding.EncodeToString(s) }

// Format withholds the secret from every verb of fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "webhook secret (withheld)") }

// LogValue withholds the secret from logs.
func (Secret) LogValue() slog.Value { return slog.StringValue("webhook secret (withheld)") }

// Sign returns the value of webhook-signature for a message sent at that second: "v1," and
// the base64 of HMAC-SHA256 over id, Unix time and body, joined by dots.
func Sign(secret []byte, id string, at time.Time, body []byte) string {
	return sign(secret, id, strconv.FormatInt(at.Unix(), 10), body)
}

func sign(secret []byte, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	var head [maxID + 32]byte
	_, _ = mac.Write(append(append(append(append(head[:0], id...), '.'), at...), '.'))
	_, _ = mac.Write(body)
	var sum [sha256.Size]byte
	const version = "v1,"
	text := make([]byte, 0, len(version)+44)
	text = append(text, version...)
	return string(base64.StdEncoding.AppendEncode(text, mac.Sum(sum[:0])))
}
