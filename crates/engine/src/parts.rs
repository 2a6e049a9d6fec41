//! Many small looks, each of which waits for the system: done in parts, by several threads.

use std::num::NonZeroUsize;

/// Fewer than so many are not worth a thread for some of them.
const ALONE: usize = 32;

/// More threads wait for each other, in the folders of the file system.
const MOST_THREADS: usize = 8;

/// Looks at each, and gives the answers in their order. This thread does a part with `own`, others do the others with
/// `another` that is theirs. A panic of theirs goes on in this one.
pub(crate) fn in_parts<T: Send, R: Send, S: Send>(
    all: Vec<T>,
    own: &mut S,
    another: impl Fn(&S) -> S,
    look: impl Fn(&mut S, T) -> R + Sync,
) -> Vec<R> {
    let most = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = most.min(MOST_THREADS).min(all.len() / ALONE).max(1);
    let part = all.len().div_ceil(threads);
    let mut rest = all.into_iter();
    let first: Vec<T> = rest.by_ref().take(part).collect();
    std::thread::scope(|scope| {
        let mut others = Vec::new();
        while rest.len() > 0 {
            let its: Vec<T> = rest.by_ref().take(part).collect();
            let (mut state, look) = (another(own), &look);
            let work = move || its.into_iter().map(|one| look(&mut state, one)).collect();
            others.push(scope.spawn::<_, Vec<R>>(work));
        }
        let mut answers: Vec<R> = first.into_iter().map(|one| look(own, one)).collect();
        for other in others {
            let its = other.join();
            answers.extend(its.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        answers
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_their_order_and_each_part_has_a_state_of_its_own() {
        for many in [0, 1, ALONE, 3 * ALONE + 1, 100 * ALONE] {
            let mut own = 0;
            let numbers: Vec<usize> = (0..many).collect();
            let answers = in_parts(
                numbers.clone(),
                &mut own,
                |_| 0,
                |seen, one| {
                    *seen += 1;
                    (one, *seen)
                },
            );
            let order: Vec<usize> = answers.iter().map(|(one, _)| *one).collect();
            assert_eq!(order, numbers);
            // The states count within their parts; what this thread has done is seen in its own.
            let starts = answers.iter().filter(|(_, seen)| *seen == 1).count();
            assert!(starts <= MOST_THREADS && (starts > 0) == (many > 0), "{starts} of {many}");
            assert_eq!(own, answers.iter().take_while(|(one, seen)| one + 1 == *seen).count());
        }
    }

    #[test]
    fn a_panic_elsewhere_is_one_here() {
        let numbers: Vec<usize> = (0..10 * ALONE).collect();
        let last = numbers.len() - 1;
        let died = std::panic::catch_unwind(|| {
            in_parts(numbers, &mut (), |()| (), |(), one| assert!(one != last, "the last"))
        });
        assert!(died.is_err());
    }
}
