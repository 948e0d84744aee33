package ident

import (
	"strings"
	"testing"
	"time"

	"vidimus/internal/domain/fault"
)

func TestTransactionNumberIsKeptAsItWasSent(t *testing.T) {
	for _, s := range []string{"1234567890", "a", "Order_2024-11_X", strings.Repeat("z", 255), "-", "_"} {
		n, err := ParseTransactionNumber(s)
		if err != nil || string(n) != s {
			t.Errorf("%q is read as %q, %v", s, n, err)
		}
	}
}

func TestTransactionNumberOfAnotherFormIsRefused(t *testing.T) {
	for _, c := range []struct {
		in   string
		want fault.Kind
	}{
		{"", fault.MissingNumber}, {" ", fault.MissingNumber}, {"\t\n", fault.MissingNumber}, {"\u2003", fault.MissingNumber},
		{"a b", fault.Invalid}, {" a", fault.Invalid}, {"a.b", fault.Invalid}, {"a/b", fault.Invalid}, {"ä", fault.Invalid},
		{"a\x00", fault.Invalid}, {strings.Repeat("z", 256), fault.Invalid}, {"\xff", fault.Invalid}, {"K\u212a", fault.Invalid},
	} {
		n, err := ParseTransactionNumber(c.in)
		if n != "" || !fault.Is(err, c.want) {
			t.Errorf("%q is read as %q, %v", c.in, n, err)
		}
		if c.want == fault.Invalid && fault.All(err)[0].Key != "transactionnumber" {
			t.Errorf("%q: the key is %q", c.in, fault.All(err)[0].Key)
		}
	}
}

func TestNumbersAreComparedWithoutRegardToCase(t *testing.T) {
	if TransactionNumber("aBc-1").Fold() != TransactionNumber("AbC-1").Fold() {
		t.Error("letter case makes a difference")
	}
	if TransactionNumber("abc-1").Fold() == TransactionNumber("abc_1").Fold() {
		t.Error("- and _ are the same")
	}
}

func FuzzParseTransactionNumber(f *testing.F) {
	for _, s := range []string{"1234567890", "", " ", "A-b_C", "ä", "\xff", strings.Repeat("1", 256)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseTransactionNumber(s)
		if err != nil {
			if n != "" || !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.MissingNumber) {
				t.Fatalf("%q: %q, %v", s, n, err)
			}
			return
		}
		if string(n) != s || len(s) == 0 || len(s) > 255 || strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			t.Fatalf("%q is accepted as %q", s, n)
		}
		if again, err := ParseTransactionNumber(n.Fold()); err != nil || again.Fold() != n.Fold() {
			t.Fatalf("%q folds to %q, which folds to %q, %v", s, n.Fold(), again.Fold(), err)
		}
	})
}

func TestIdentIDHasTheFormOfTheSpecification(t *testing.T) {
	if got := NewID("IBA", [5]byte{0, 1, 31, 32, 255}); got != "IBA-23Z2Z" {
		t.Errorf("got %s", got)
	}
}

func TestEachCharacterOfAnIdentIDIsEquallyLikely(t *testing.T) {
	count := map[byte]int{}
	for b := range 256 {
		count[NewID("IBA", [5]byte{byte(b)})[4]]++
	}
	for _, c := range []byte(Alphabet) {
		if count[c] != 256/len(Alphabet) {
			t.Errorf("%c comes %d times", c, count[c])
		}
	}
	if strings.ContainsAny(Alphabet, "01IO") {
		t.Error("the alphabet holds look-alikes")
	}
}

func TestIdentIDIsReadInAnyLetterCase(t *testing.T) {
	for _, s := range []string{"IBA-H5FD8", "iba-h5fd8", "Iba-h5Fd8"} {
		if id, ok := ParseID(s); !ok || id != "IBA-H5FD8" {
			t.Errorf("%s is read as %s, %v", s, id, ok)
		}
	}
	for _, s := range []string{"", "IBA-H5FD", "IBA-H5FD88", "IBAH-5FD8", "IBA_H5FD8", "IBA-H5F-8", "IBÄ-H5F8", "IBA-H5FD\xff", "ıba-h5fd", "000-000ſ"} {
		if id, ok := ParseID(s); ok || id != "" {
			t.Errorf("%q is read as %s", s, id)
		}
	}
}

func FuzzParseID(f *testing.F) {
	for _, s := range []string{"IBA-H5FD8", "iba-h5fd8", "", "IBA-H5Fſ", "1234-6789", "\xff\xff\xff-\xff\xff\xff\xff\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := ParseID(s)
		if !ok {
			if id != "" {
				t.Fatalf("%q is none, and yet %q", s, id)
			}
			return
		}
		if !strings.EqualFold(string(id), s) || len(id) != 9 || id[3] != '-' {
			t.Fatalf("%q is read as %q", s, id)
		}
		if again, ok := ParseID(string(id)); !ok || again != id {
			t.Fatalf("%q is read again as %q, %v", id, again, ok)
		}
		if _, err := ParseTransactionNumber(string(id)); err != nil {
			t.Fatalf("an Ident-ID serves where a number does, but %q is refused: %v", id, err)
		}
	})
}

func TestWaitEndsWhenTheAttemptIsTakenOrEnds(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(1000+s), 0) }
	for _, c := range []struct {
		name    string
		attempt Attempt
		want    time.Duration
	}{
		{"still waiting", Attempt{RequestedAt: at(0)}, 60 * time.Second},
		{"taken", Attempt{RequestedAt: at(0), TakenAt: at(10)}, 10 * time.Second},
		{"taken and ended", Attempt{RequestedAt: at(0), TakenAt: at(10), EndedAt: at(40)}, 10 * time.Second},
		{"given up", Attempt{RequestedAt: at(0), EndedAt: at(25)}, 25 * time.Second},
	} {
		if got := c.attempt.Waited(at(60)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
