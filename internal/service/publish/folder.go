package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/result"
	"vidimus/internal/service/account"
)

// ListedFiles is how many ZIPs a folder shows at most (9.2.2).
const ListedFiles = 50

// zipSuffix ends the name of every archive.
const zipSuffix = ".zip"

// Directory is one of the two folders of a company (chapter 9).
type Directory string

// The folders. An account without the feature has no Archive.
const (
	Root        Directory = ""
	ArchiveOnes Directory = "Archive"
)

// FolderFile is a ZIP as the folders show it.
type FolderFile struct {
	ID          ident.ID
	Name        string // with .zip
	Size        int64  // exact
	Time        time.Time
	Preliminary bool // it waits for its review: it cannot be deleted or archived yet
}

// Folder lists the ZIPs of a company's folder: at most 50, oldest creation first. In Root
// stand the finished ones, and for accounts with realtime results the preliminary ones. An
// account without Archive gets fault.NotFound for it.
func (s *Service) Folder(ctx context.Context, a *account.Account, d Directory) ([]FolderFile, error) {
	list, err := s.listFolder(ctx, a, d)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(list))
	for n, f := range list {
		ids[n] = f.Identification.KeyID
	}
	keys, err := s.keys.GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	files := make([]FolderFile, 0, len(list))
	for _, f := range list {
		key, ok := keys[f.Identification.KeyID]
		if !ok {
			continue // deleted while the list was read
		}
		z, err := s.archived(f.Identification, f.Result, f.Identification.KeyID, key)
		if err != nil {
			s.damaged(ctx, a, f.Identification.ID, err)
			continue
		}
		shown := file(f, z)
		if shown.Name, err = s.shownName(ctx, f.Identification, z.Name); err != nil {
			return nil, err
		}
		files = append(files, shown)
	}
	return files, nil
}

// damaged is the word in the log about a result that cannot be read, and is left out of a list
// for that: the others are none the worse for it. Asked for by itself it is an error.
func (s *Service) damaged(ctx context.Context, a *account.Account, id ident.ID, err error) {
	s.log.LogAttrs(ctx, slog.LevelError, "a result cannot be read: it is left out of a list", slog.String("company", string(a.ID)),
		slog.String("identification", string(id)), slog.Any("error", err))
}

func file(f result.Filed, z *ZIP) FolderFile {
	return FolderFile{ID: f.Identification.ID, Name: z.Name, Size: z.Size, Time: f.Result.CreatedAt, Preliminary: f.Identification.State.Preliminary()}
}

func (s *Service) listFolder(ctx context.Context, a *account.Account, d Directory) ([]result.Filed, error) {
	if d == ArchiveOnes {
		if !a.Archive {
			return nil, fault.Of(fault.NotFound)
		}
		return s.store.Folder(ctx, a.ID, ident.ListArchived, ListedFiles)
	}
	list, err := s.store.Folder(ctx, a.ID, ident.ListFinished, ListedFiles)
	if err != nil || !a.Realtime {
		return list, err
	}
	more, err := s.store.FolderPreliminary(ctx, a.ID, ListedFiles)
	if err != nil {
		return nil, err
	}
	list = append(list, more...)
	slices.SortFunc(list, func(a, b result.Filed) int {
		if c := a.Identification.CreatedAt.Compare(b.Identification.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(string(a.Identification.ID), string(b.Identification.ID))
	})
	return list[:min(len(list), ListedFiles)], nil
}

// Named returns the company's identification that the name of a ZIP, without .zip, leads to:
// the one with that transaction number, else with that Ident-ID, else the one whose ZIP is
// called so, else the one whose ZIP is called so without the _<Ident-ID> at its end (see
// shownName). Every way from a name to a ZIP is this one. fault.NotFound.
func (s *Service) Named(ctx context.Context, c company.ID, name string) (ident.Identification, error) {
	if n, err := ident.ParseTransactionNumber(name); err == nil {
		i, err := s.store.IdentificationByNumber(ctx, c, n)
		if !fault.Is(err, fault.NotFound) {
			return i, err
		}
	}
	if id, ok := ident.ParseID(name); ok {
		i, err := s.store.IdentificationByID(ctx, c, id)
		if !fault.Is(err, fault.NotFound) {
			return i, err
		}
	}
	i, err := s.store.IdentificationByFile(ctx, c, s.FileKey(c, name))
	cut := strings.LastIndexByte(name, '_')
	if !fault.Is(err, fault.NotFound) || cut < 0 {
		return i, err
	}
	id, ok := ident.ParseID(name[cut+1:])
	if !ok {
		return i, err
	}
	if i, err = s.store.IdentificationByID(ctx, c, id); err == nil && i.FileKey != s.FileKey(c, name[:cut]) {
		err = fault.Of(fault.NotFound)
	}
	return i, err
}

// shownName is the name, with .zip, under which a folder shows the ZIP of i: that of its
// result, unless it leads elsewhere by now because an identification that came later has it
// as its number; then the Ident-ID is appended.
func (s *Service) shownName(ctx context.Context, i ident.Identification, own string) (string, error) {
	bare := strings.TrimSuffix(own, zipSuffix)
	if bare == string(i.Number) {
		return own, nil // which nobody else has
	}
	for _, name := range []string{bare, bare + "_" + string(i.ID)} {
		there, err := s.Named(ctx, i.Company, name)
		if err == nil && there.ID == i.ID {
			return name + zipSuffix, nil
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return "", err
		}
	}
	return string(i.ID) + zipSuffix, nil
}

// Open finds the ZIP that a name, with .zip, leads to, in a folder of the company: also one
// that is too new to be listed. fault.NotFound when there is none.
func (s *Service) Open(ctx context.Context, a *account.Account, d Directory, name string) (FolderFile, *ZIP, error) {
	bare, ok := strings.CutSuffix(name, zipSuffix)
	if !ok || d == ArchiveOnes && !a.Archive {
		return FolderFile{}, nil, fault.Of(fault.NotFound)
	}
	i, err := s.Named(ctx, a.ID, bare)
	if err != nil {
		return FolderFile{}, nil, err
	}
	if (d == ArchiveOnes) != (i.State == ident.Archived) {
		return FolderFile{}, nil, fault.Of(fault.NotFound)
	}
	z, err := s.ZIP(ctx, a, i)
	if err != nil {
		return FolderFile{}, nil, err
	}
	return file(result.Filed{Identification: i, Result: z.stored}, z), z, nil
}

// nameOf reads the name of the ZIP, with .zip, out of a result.
func nameOf(bare []byte) (string, error) {
	var named struct {
		Process struct {
			FileName string `json:"filename"`
		} `json:"identificationprocess"`
	}
	if err := json.Unmarshal(bare, &named); err != nil {
		return "", fmt.Errorf("reading the name of the archive: %w", err)
	}
	return named.Process.FileName, nil
}
