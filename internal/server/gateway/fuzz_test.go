package gateway

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/question"
	"vidimus/internal/server/web"
	"vidimus/internal/service/publish"
)

// mistakes wants err to be the client's fault in every part.
func mistakes(t *testing.T, err error) {
	t.Helper()
	for _, f := range fault.All(err) {
		switch f.Kind {
		case fault.Invalid, fault.UnknownField, fault.Unparseable:
		default:
			t.Fatalf("the client is answered %v", f)
		}
	}
}

func FuzzReadCursor(f *testing.F) {
	for _, s := range []string{"", "AAAA", " ", "=", cursor(publish.Place{CreatedAt: time.UnixMicro(1_700_000_000_000_000), ID: "IBA-H5FD8"})} {
		f.Add(s)
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(s)))
	}
	f.Add(base64.RawURLEncoding.EncodeToString([]byte("1y2p0ij32e8e7 IBA-H5FD8")))
	f.Fuzz(func(t *testing.T, s string) {
		place, err := readCursor(s)
		if err != nil {
			mistakes(t, err)
			return
		}
		if s == "" {
			return
		}
		again, err := readCursor(cursor(place))
		if err != nil || !again.CreatedAt.Equal(place.CreatedAt) || again.ID != place.ID {
			t.Fatalf("%v became %v, %v", place, again, err)
		}
	})
}

func FuzzReadSpot(f *testing.F) {
	for _, s := range []string{"", "AAAA", " ", "=", spot(delivery.Entry{At: time.UnixMicro(1_700_000_000_000_000), ID: "msg_0"})} {
		f.Add(s)
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(s)))
	}
	f.Add(base64.RawURLEncoding.EncodeToString([]byte("1y2p0ij32e8e7 msg_1 msg_2")))
	f.Fuzz(func(t *testing.T, s string) {
		place, err := readSpot(s)
		if err != nil {
			mistakes(t, err)
			return
		}
		if s == "" {
			return
		}
		again, err := readSpot(spot(delivery.Entry{At: place.At, ID: place.ID}))
		if err != nil || !again.At.Equal(place.At) || again.ID != place.ID {
			t.Fatalf("%v became %v, %v", place, again, err)
		}
	})
}

func FuzzReadApplication(f *testing.F) {
	c := company.New("ihrebank", "IBA", "IhreBank AG")
	for n, kind := range question.Types {
		d := question.Definition{Key: "q" + string(rune('a'+n)), Type: kind, Label: "?"}
		if kind.HasOptions() {
			d.Options = []string{"yes", "no"}
		}
		c.Questions = append(c.Questions, d)
	}
	for _, s := range []string{
		`{}`, `{"firstname":"Lena","birthday":"1988-02-29","country":"DE","gender":"FEMALE","email":"a@b.example","mobilephone":"0170 1"}`,
		`{"questions":{"qa":{"value":1},"qb":{"value":"yes"},"qd":{"value":"DE"},"qf":{"value":-1e3},"qg":{"value":"2000-01-31"},"qh":{"value":0}}}`,
		`{"questions":null,"city":null,"zipcode":1,"x":{}}`, `{"questions":{"qa":[]}}`, `{"preferredLang":"de","custom5":"\u0000"}`,
	} {
		f.Add([]byte(s))
	}
	today := time.Date(2026, time.March, 9, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body []byte) {
		members, err := web.ParseObject(body)
		if err != nil {
			mistakes(t, err)
			return
		}
		application, err := readApplication(c, members, today)
		if err != nil {
			mistakes(t, err)
			return
		}
		if _, err := json.Marshal(application); err != nil {
			t.Fatalf("what was accepted cannot be stored: %v", err)
		}
	})
}
