//! A few threads that do what one hands out, once that is more than a little.
//!
//! The first of it is done by the thread that hands out, in order: so small trees are copied by one
//! thread, call after call as they come.

use super::Trouble;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};

/// How much may wait to be done. Each piece of work keeps folders open.
const MOST_WAITING: usize = 16;

/// So many entries are done by the thread that hands them out.
const ALONE: usize = 256;

struct Queue<T> {
    waiting: VecDeque<T>,
    /// Nothing more comes.
    closed: bool,
    /// What went wrong first; nothing more is done then.
    trouble: Option<Trouble>,
    /// A thread died, and will say so when it is joined.
    died: bool,
}

struct Shared<T> {
    queue: Mutex<Queue<T>>,
    filled: Condvar,
    drained: Condvar,
}

impl<T> Shared<T> {
    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        // Nothing that can die is done while it is locked.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.queue().closed = true;
        self.filled.notify_all();
    }
}

/// Says that a thread died, if it does.
struct Alive<'s, T>(&'s Shared<T>);

impl<T> Drop for Alive<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.queue().died = true;
            self.0.filled.notify_all();
            self.0.drained.notify_all();
        }
    }
}

/// Hands out work.
pub(super) struct Crew<'scope, 'env, T, H, W> {
    scope: &'scope Scope<'scope, 'env>,
    shared: &'env Shared<T>,
    work: &'env W,
    threads: usize,
    given: usize,
    hand: H,
    handles: Vec<ScopedJoinHandle<'scope, ()>>,
}

impl<T: Send, H: Default, W: Fn(&mut H, T) -> Result<(), Trouble> + Sync> Crew<'_, '_, T, H, W> {
    /// Has a piece of work done that counts for so many entries: now, or later by another thread.
    ///
    /// # Errors
    /// What went wrong in this one, or in an earlier one.
    pub(super) fn give(&mut self, task: T, entries: usize) -> Result<(), Trouble> {
        self.given = self.given.saturating_add(entries);
        if self.threads < 2 || self.given <= ALONE {
            return (self.work)(&mut self.hand, task);
        }
        if self.handles.is_empty() {
            for _ in 0..self.threads {
                let (shared, work) = (self.shared, self.work);
                self.handles.push(self.scope.spawn(move || run(shared, work)));
            }
        }
        let mut queue = self.shared.queue();
        while queue.waiting.len() >= MOST_WAITING && queue.trouble.is_none() && !queue.died {
            queue = self.shared.drained.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.died {
            return Err(Trouble::Stopped);
        }
        if let Some(trouble) = &queue.trouble {
            return Err(trouble.clone());
        }
        queue.waiting.push_back(task);
        self.shared.filled.notify_one();
        Ok(())
    }

    /// Waits until `enough`, which is asked whenever a piece of work was done. What was handed out must
    /// bring it about.
    ///
    /// # Errors
    /// What went wrong meanwhile.
    pub(super) fn until(&self, enough: impl Fn() -> bool) -> Result<(), Trouble> {
        let mut queue = self.shared.queue();
        while !enough() {
            if queue.died {
                return Err(Trouble::Stopped);
            }
            if let Some(trouble) = &queue.trouble {
                return Err(trouble.clone());
            }
            queue = self.shared.drained.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }
}

fn run<T, H: Default>(shared: &Shared<T>, work: &impl Fn(&mut H, T) -> Result<(), Trouble>) {
    let _alive = Alive(shared);
    let mut hand = H::default();
    let mut queue = shared.queue();
    loop {
        if queue.died || queue.trouble.is_some() {
            queue.waiting.clear();
        }
        if let Some(task) = queue.waiting.pop_front() {
            shared.drained.notify_one();
            drop(queue);
            let done = work(&mut hand, task);
            queue = shared.queue();
            if let Err(trouble) = done {
                queue.trouble.get_or_insert(trouble);
            }
            shared.drained.notify_all();
        } else if queue.closed {
            return;
        } else {
            queue = shared.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Runs `walk`, which hands out work, and waits until all of it is done.
///
/// # Errors
/// What went wrong first.
pub(super) fn run_all<T: Send, H: Default, W: Fn(&mut H, T) -> Result<(), Trouble> + Sync>(
    threads: usize,
    work: W,
    walk: impl FnOnce(&mut Crew<'_, '_, T, H, W>) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let queue = Queue { waiting: VecDeque::new(), closed: false, trouble: None, died: false };
    let shared =
        Shared { queue: Mutex::new(queue), filled: Condvar::new(), drained: Condvar::new() };
    let walked = std::thread::scope(|scope| {
        // Also when `walk` dies: the others must not wait for more.
        let closing = Closing(&shared);
        let mut crew = Crew {
            scope,
            shared: &shared,
            work: &work,
            threads,
            given: 0,
            hand: H::default(),
            handles: Vec::new(),
        };
        let walked = walk(&mut crew);
        if walked.is_err() {
            shared.queue().waiting.clear();
        }
        drop(closing);
        for handle in crew.handles {
            if let Err(payload) = handle.join() {
                std::panic::resume_unwind(payload);
            }
        }
        walked
    });
    let trouble = shared.queue().trouble.take();
    // What the walk gives may be only what it was told of another thread's.
    trouble.map_or(walked, Err)
}

struct Closing<'s, T>(&'s Shared<T>);

impl<T> Drop for Closing<'_, T> {
    fn drop(&mut self) {
        self.0.close();
    }
}
