package ident

import (
	"slices"
	"testing"
	"time"

	"vidimus/internal/domain/company"
)

func TestEachStateIsKeptAsLongAsItsSettingSays(t *testing.T) {
	const day = 24 * time.Hour
	settings := company.Retention{Results: 10 * day, Unfinished: 3 * day}
	from := time.Date(2024, 5, 6, 12, 0, 0, 0, time.UTC)
	half := func(d time.Duration) time.Duration { return d / 2 }
	want := map[State]time.Duration{
		Created: 3 * day, Waiting: 3 * day, InProcess: 3 * day, Aborted: 3 * day, ReviewPending: 3 * day, FraudPending: 3 * day,
		Success: 10 * day, SuccessChanged: 10 * day, FraudConfirmed: 10 * day, Canceled: 10 * day, Archived: 10 * day,
	}
	for _, s := range States {
		if s == Deleted {
			continue
		}
		i := Identification{State: s, KeptFrom: from}
		end := from.Add(want[s] / 2)
		if got := i.KeptUntil(settings, half); !got.Equal(end) {
			t.Errorf("%s is kept until %v, want %v", s, got, end)
		}
		if i.Due(settings, half, end.Add(-1)) {
			t.Errorf("%s is due too early", s)
		}
		if got := i.Due(settings, half, end); got == s.Open() {
			t.Errorf("%s, due: %t", s, got)
		}
		if slices.Contains(KeptAsResult, s.List()) == slices.Contains(KeptAsUnfinished, s.List()) {
			t.Errorf("%s stands in both lists or in none", s)
		}
	}
}

func TestWithoutASettingTheDefaultHolds(t *testing.T) {
	for _, s := range []State{Created, Success} {
		same := func(d time.Duration) time.Duration { return d }
		if got := (Identification{State: s}).KeptUntil(company.Retention{}, same); got != (time.Time{}).Add(company.DefaultRetention) {
			t.Errorf("%s: %v", s, got)
		}
	}
}
