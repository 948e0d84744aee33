package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"vidimus/internal/domain/delivery"
	"vidimus/internal/service/publish"
)

func TestTheLedgerIsPrintedToItsEnd(t *testing.T) {
	const entries = 25_000
	began := time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)
	read := func(after publish.Spot, most int) (list []delivery.Entry, err error) {
		from := 0
		if !after.At.IsZero() {
			from = int(after.At.Sub(began)/time.Second) + 1
		}
		for n := from; n < min(entries, from+most); n++ {
			list = append(list, delivery.Entry{ID: fmt.Sprint(n), At: began.Add(time.Duration(n) * time.Second)})
		}
		return list, nil
	}
	for limit, want := range map[int]int{0: entries, 1: 1, page: page, page + 1: page + 1, 12_345: 12_345, 30_000: entries} {
		printed, largest := 0, 0
		d := deliveriesCommand{Limit: limit}
		err := d.pages(t.Context(), func(_ context.Context, list []delivery.Entry) error {
			for _, e := range list {
				if e.ID != fmt.Sprint(printed) {
					t.Fatalf("limit %d: entry %s comes as number %d", limit, e.ID, printed)
				}
				printed++
			}
			largest = max(largest, len(list))
			return nil
		}, read)
		if err != nil || printed != want || largest > page {
			t.Errorf("limit %d: %d are printed, %d at a time, want %d: %v", limit, printed, largest, want, err)
		}
	}
	if list, err := newest(read, 12_000); err != nil || len(list) != 12_000 || list[11_999].ID != fmt.Sprint(entries-1) {
		t.Errorf("the newest: %d, %v", len(list), err)
	}
}
